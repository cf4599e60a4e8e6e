import { expect, test } from '@jest/globals';
import { fillTemplate, TemplateError } from '../../../src/core/pods/fill-template.js';

const environment = { POD_IP: '10.0.0.9', EMPTY: '', TEXT: 'say "x"' };

test.each([
  // Charts since 1.0 for servers since 1.30, which evaluate sprig.
  ['broadcastAddress: {{ env "POD_IP" | quote }}', 'broadcastAddress: "10.0.0.9"'],
  ['{{ env "TEXT" | quote }}', '"say \\"x\\""'],
  ['{{ env "POD_IP" }}:9090', '10.0.0.9:9090'],
  // Charts before them: dockerize.
  ['{{ .Env.POD_IP }}', '10.0.0.9'],
  ['{{ default .Env.EMPTY "127.0.0.1" }}', '127.0.0.1'],
  ['{{- default .Env.POD_IP "127.0.0.1" | quote -}}', '"10.0.0.9"'],
  ['{{ default "/etc/dynamic.yaml" (env "NOT_THERE") }}', '/etc/dynamic.yaml'],
  ['{{ env "NOT_THERE" | default "d" | quote }}', '"d"'],
  ['{{ .Env.PASSWORD | quote }}', '"HIDDEN"'],
  ['{{/* a comment */}}plain: {a: 1}', 'plain: {a: 1}'],
])('%s', (template, text) => {
  expect(fillTemplate(template, environment)).toBe(text);
});

test.each(['{{ if .Env.TLS }}', '{{ range $x := split }}', '{{ .Env.A }}{{ .Env.B | b64dec }}'])(
  'what only the container evaluates is said: %s',
  (template) => {
    expect(() => fillTemplate(template, environment)).toThrow(TemplateError);
  },
);
