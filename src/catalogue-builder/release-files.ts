/** The text files of one release that facts are read from, by path below the root of the server's source. */
export type ReleaseFiles = ReadonlyMap<string, string>;

/** Plugins and clients of stores; keys of the dynamic configuration, which components declare beside their code. */
const SOURCES =
  /^common\/(persistence|elasticsearch)\/.*\.go$|^common\/(service\/)?dynamicconfig\/constants\.go$|^(chasm|common|components|service)\/.*\/(config|constants|trace)\.go$/;

/** What is kept of a release in memory: some hundred small files of several thousand. */
export function isReadForFacts(path: string): boolean {
  return path === 'go.mod' || path.startsWith('schema/') || (SOURCES.test(path) && !path.endsWith('_test.go'));
}

/** Names directly below a folder, files and folders alike. */
export function namesBelow(files: ReleaseFiles, folder: string): string[] {
  const prefix = `${folder}/`;
  const names = [...files.keys()]
    .filter((path) => path.startsWith(prefix))
    .flatMap((path) => path.slice(prefix.length).split('/', 1));
  return [...new Set(names)];
}
