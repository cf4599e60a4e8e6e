import { testOneHop } from '../helpers/two-hops.js';

testOneHop('cassandra+opensearch', { storeTls: true });
