import { COMPOSE_CASES } from '../helpers/driver-cases.js';
import { driverContract } from '../helpers/driver-contract.js';

// Apart from the others, as its engine is brought, and its images are made, in minutes.
driverContract(COMPOSE_CASES);
