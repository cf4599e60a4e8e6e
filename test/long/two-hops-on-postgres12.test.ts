import { testTwoHops } from '../helpers/two-hops.js';

testTwoHops('postgres12');
