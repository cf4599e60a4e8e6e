import { testTwoHops } from '../helpers/two-hops.js';

testTwoHops('cassandra+opensearch');
