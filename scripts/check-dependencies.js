// Ends with 0 when what is installed in node_modules is what package-lock.json says, else with 1.
// npm writes node_modules/.package-lock.json at the very end of an install, so one that was killed does not pass. A folder that was
// copied may lack what that file names: so each is looked for.
import { existsSync, readFileSync } from 'node:fs';

const read = (file) => JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).packages;

try {
  const installed = read('node_modules/.package-lock.json');
  const wrong = Object.entries(read('package-lock.json')).filter(
    ([path, wanted]) =>
      path !== '' &&
      (installed[path] === undefined
        ? !wanted.optional
        : installed[path].version !== wanted.version || !existsSync(new URL(`../${path}`, import.meta.url))),
  );
  if (wrong.length > 0) console.log(`${wrong.length} libraries are missing or of another version`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
} catch {
  console.log('libraries are not installed yet');
  process.exitCode = 1;
}
