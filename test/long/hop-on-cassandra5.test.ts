import { testOneHop } from '../helpers/two-hops.js';

testOneHop('cassandra5');
