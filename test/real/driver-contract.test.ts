import { DRIVER_CASES } from '../helpers/driver-cases.js';
import { driverContract } from '../helpers/driver-contract.js';

driverContract(DRIVER_CASES);
