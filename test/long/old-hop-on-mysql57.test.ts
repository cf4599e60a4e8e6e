import { testOldHop } from '../helpers/two-hops.js';

testOldHop('mysql57');
