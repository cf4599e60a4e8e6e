import { testOldHop } from '../helpers/two-hops.js';

testOldHop('postgres96');
