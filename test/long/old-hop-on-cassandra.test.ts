import { testOldHop } from '../helpers/two-hops.js';

testOldHop('cassandra+cassandra');
