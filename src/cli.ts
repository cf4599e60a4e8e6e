import { keepCompiled } from './compile-cache.js';

keepCompiled();
// Loaded after that, as it holds only for what is loaded later.
const { completionAnswer, inOwnOrder } = await import('./cli/of-temporal-cli.js');
const { buildProgram } = await import('./cli/program.js');

const program = buildProgram();
const words = process.argv.slice(2);
const answer = completionAnswer(words, program);
if (answer === undefined) await program.parseAsync(inOwnOrder(words, program), { from: 'user' });
else process.stdout.write(answer);
