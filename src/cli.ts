import { completionAnswer, inOwnOrder } from './cli/of-temporal-cli.js';
import { buildProgram } from './cli/program.js';

const program = buildProgram();
const words = process.argv.slice(2);
const answer = completionAnswer(words, program);
if (answer === undefined) await program.parseAsync(inOwnOrder(words, program), { from: 'user' });
else process.stdout.write(answer);
