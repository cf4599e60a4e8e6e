import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import { bundleWorkflowCode, type WorkerOptions } from '@temporalio/worker';

/** What a worker takes so that its workflows and activities are traced. */
export interface Tracing extends Pick<WorkerOptions, 'workflowBundle' | 'interceptors' | 'sinks'>, AsyncDisposable {}

const WORKFLOWS = fileURLToPath(new URL('./workflows/index.js', import.meta.url));
const PAYLOAD_CONVERTER = fileURLToPath(new URL('./workflows/payload-converter.js', import.meta.url));
const INTERCEPTORS = createRequire(import.meta.url).resolve(
  '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors',
);

/**
 * Traces by the interceptors of the SDK, sent as OTLP to where the standard variables of OpenTelemetry say. Names, ids
 * and messages of failures are in them, and no payload. The workflow code is bundled anew, with the interceptors in it, which takes some seconds.
 */
export async function startTracing(): Promise<Tracing> {
  const resource = Resource.default().merge(
    new Resource({ 'service.name': process.env['OTEL_SERVICE_NAME'] ?? 'temporal-upgrade' }),
  );
  const spanProcessor = new BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new NodeTracerProvider({ resource, spanProcessors: [spanProcessor] });
  provider.register();
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS,
    payloadConverterPath: PAYLOAD_CONVERTER,
    workflowInterceptorModules: [INTERCEPTORS],
  });
  return {
    workflowBundle: { code },
    interceptors: {
      activity: [
        (context) => ({
          inbound: new OpenTelemetryActivityInboundInterceptor(context),
          outbound: new OpenTelemetryActivityOutboundInterceptor(context),
        }),
      ],
    },
    sinks: { exporter: makeWorkflowExporter(spanProcessor, resource) },
    [Symbol.asyncDispose]: () => provider.shutdown(),
  };
}
