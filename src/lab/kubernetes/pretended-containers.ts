import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerOrder, ContainerRuntime, RunningContainer } from './runtime.js';

/** Exit code of what SIGTERM has ended, and of what SIGKILL has. */
const TERMINATED = 143;
const KILLED = 137;

/** Runs nothing: containers are ready, end and fail as their behaviour says. */
export const pretendedContainers: ContainerRuntime = {
  async start(order) {
    const began = Date.now();
    const { log } = order.behaviour();
    await appendFile(order.logFile, [...log, `started ${order.container.image}`].map((line) => `${line}\n`).join(''));
    return pretend(order, began);
  },
};

function pretend({ pod, behaviour, logFile }: ContainerOrder, began: number): RunningContainer {
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  const isJob = pod.spec.restartPolicy !== 'Always';
  const { kind, endsAfterMs, exitCode } = behaviour();
  const end = async (code: number) => {
    await appendFile(logFile, `ended with exit code ${code}\n`);
    exit(code);
  };
  const timer =
    kind === 'crash' || (isJob && kind === 'run')
      ? setTimeout(() => void end(exitCode ?? (kind === 'crash' ? 1 : 0)), endsAfterMs)
      : undefined;
  return {
    exited,
    readiness: () => {
      const now = behaviour();
      if (now.kind === 'never-ready') return Promise.resolve('it is never ready');
      return Promise.resolve(Date.now() - began < now.readyAfterMs ? 'it is not ready yet' : undefined);
    },
    stop: async (graceMs) => {
      clearTimeout(timer);
      const { stopAfterMs } = behaviour();
      await sleep(Math.min(stopAfterMs, graceMs));
      await end(stopAfterMs > graceMs ? KILLED : TERMINATED);
    },
  };
}
