import { testOneHop } from '../helpers/two-hops.js';

testOneHop('mysql+postgres', { storeTls: true });
