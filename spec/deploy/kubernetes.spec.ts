import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../lib/job/settings.ts';
import { answer, paths } from '../../lib/observe/status-server/routes.ts';
import { understood } from './command.ts';
import { documentsOf, stagesOf } from './files.ts';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly envFrom: readonly Readonly<Record<string, { readonly name: string }>>[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: { readonly limits: { readonly memory: string } };
}

interface Labelled {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
}

interface Deployment extends Labelled {
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsUser: number };
        readonly containers: readonly [Container];
      };
    };
  };
}

const only = <T>(file: string): T => {
  const documents = documentsOf<T>(`deploy/kubernetes/${file}`);
  expect(documents).toHaveLength(1);
  return documents[0] as T;
};

const deployment = only<Deployment>('deployment.yaml');
const pod = deployment.spec.template;
const [worker] = pod.spec.containers;

describe('the manifests for Kubernetes', () => {
  it('are listed, and have the labels by which they find each other', () => {
    const { resources } = only<{ resources: string[] }>('kustomization.yaml');
    expect(resources).toEqual(['config.yaml', 'secret.yaml', 'deployment.yaml', 'disruption-budget.yaml']);
    const selectors = ['disruption-budget.yaml', 'pod-monitor.yaml'].map(
      file => only<{ spec: { selector: { matchLabels: object } } }>(file).spec.selector.matchLabels,
    );
    for (const labels of [deployment.spec.selector.matchLabels, ...selectors]) {
      expect(Object.keys(labels)).not.toEqual([]);
      expect(pod.metadata.labels).toMatchObject(labels);
    }
  });

  it('give the container a command that is understood, at the port that is named', async () => {
    const { exitCode, said, job, listens, settings } = await understood(worker.args);
    expect({ exitCode, said }).toMatchObject({ exitCode: 0 });
    expect(job?.name).toBe(deployment.metadata.name);
    expect(settings?.params).toEqual({ connectors: 'kafka' });
    expect(listens).toBe(`0.0.0.0:${worker.ports[0]?.containerPort}`);
  });

  it('ask for what is served', async () => {
    const asked = { startup: worker.startupProbe, liveness: worker.livenessProbe, readiness: worker.readinessProbe };
    for (const [name, { httpGet }] of Object.entries(asked)) {
      expect(paths, name).toContain(httpGet.path);
      expect(worker.ports.map(port => port.name)).toContain(httpGet.port);
    }
    // Before there is a job, a process is alive, and not ready.
    expect(await answer('GET', worker.startupProbe.httpGet.path, undefined)).toMatchObject({ code: 200 });
    expect(await answer('GET', worker.livenessProbe.httpGet.path, undefined)).toMatchObject({ code: 200 });
    expect(await answer('GET', worker.readinessProbe.httpGet.path, undefined)).toMatchObject({ code: 503 });
    const monitor = only<{ spec: { podMetricsEndpoints: [{ port: string; path: string }] } }>('pod-monitor.yaml');
    const [{ port, path }] = monitor.spec.podMetricsEndpoints;
    expect(paths).toContain(path);
    expect(worker.ports.map(({ name }) => name)).toContain(port);
  });

  it('give a stop more time than the job takes for it', () => {
    const { stopTimeout } = resolveSettings({}, 'a job');
    expect(pod.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(stopTimeout);
  });

  it('let a drain take one pod at a time', () => {
    const budget = only<{ spec: { maxUnavailable: number } }>('disruption-budget.yaml');
    expect(budget.spec.maxUnavailable).toBe(1);
    expect(deployment.spec.replicas).toBeGreaterThan(budget.spec.maxUnavailable);
  });

  it('take variables that are read, from what is there, and leave Node less memory than there is', () => {
    const config = only<Labelled & { data: Record<string, string> }>('config.yaml');
    const secret = only<Labelled & { stringData: Record<string, string> }>('secret.yaml');
    const from = worker.envFrom.flatMap(source => Object.values(source).map(({ name }) => name));
    expect(from).toEqual([config.metadata.name, secret.metadata.name]);
    expect(Object.keys({ ...config.data, ...secret.stringData }).sort()).toEqual([
      'KAFKA_BROKERS',
      'NODE_OPTIONS',
      'TIDEMARK_STORE',
    ]);
    expect(config.data, 'an address may hold a password').not.toHaveProperty('TIDEMARK_STORE');
    const limitMiB = Number(/^(\d+)Gi$/.exec(worker.resources.limits.memory)?.[1]) * 1_024;
    const heapMiB = Number(/--max-old-space-size=(\d+)/.exec(config.data.NODE_OPTIONS ?? '')?.[1]);
    expect(heapMiB / limitMiB).toBeCloseTo(0.75);
  });

  it('run it as the user of the image', () => {
    const user = stagesOf('Dockerfile')
      .at(-1)
      ?.find(({ name }) => name === 'USER');
    expect(user?.text).toBe(`${pod.spec.securityContext.runAsUser}:${pod.spec.securityContext.runAsUser}`);
  });
});
