import { testTwoHops } from '../helpers/two-hops.js';

testTwoHops('mysql+elasticsearch');
