{{/* How the worker is told of its control plane, in the words of the Temporal CLI, and what roll-outs name as variables. */}}
{{- define "worker.env" -}}
- { name: TEMPORAL_ADDRESS, value: {{ .Values.controlPlane.address | quote }} }
- { name: TEMPORAL_NAMESPACE, value: {{ .Values.controlPlane.namespace | quote }} }
- { name: TEMPORAL_UPGRADE_TASK_QUEUE, value: {{ .Values.controlPlane.taskQueue | quote }} }
- { name: TEMPORAL_UPGRADE_HEALTH, value: '0.0.0.0:9610' }
- { name: TEMPORAL_UPGRADE_METRICS, value: '0.0.0.0:9611' }
- { name: TEMPORAL_UPGRADE_LOG, value: {{ .Values.logFormat }} }
{{- with .Values.controlPlane.apiKey }}
{{- if .secret }}
- name: TEMPORAL_API_KEY
  valueFrom: { secretKeyRef: { name: {{ .secret }}, key: {{ .key }} } }
{{- end }}
{{- end }}
{{- with .Values.controlPlane.tls }}
{{- if .enabled }}
- { name: TEMPORAL_TLS, value: 'true' }
{{- if .clientCertificate }}
- { name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /etc/temporal-upgrade/control-plane/tls.crt }
- { name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /etc/temporal-upgrade/control-plane/tls.key }
{{- end }}
{{- if .authority }}
- { name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /etc/temporal-upgrade/control-plane/ca.crt }
{{- end }}
{{- with .serverName }}
- { name: TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }} }
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end -}}

{{- define "worker.volumes" -}}
- name: data
  persistentVolumeClaim: { claimName: {{ .Values.persistence.data.existingClaim | default (printf "%s-data" (include "worker.name" .)) }} }
{{- with .Values.persistence.backups }}
{{- if .enabled }}
- name: backups
  persistentVolumeClaim: { claimName: {{ .existingClaim | default (printf "%s-backups" (include "worker.name" $)) }} }
{{- end }}
{{- end }}
- name: scratch
  emptyDir: { sizeLimit: {{ .Values.persistence.scratch.sizeLimit }} }
{{- with .Values.controlPlane.tls.secret }}
- name: control-plane-tls
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- range $index, $file := .Values.files }}
- name: files-{{ $index }}
  {{- if $file.secret }}
  secret: { secretName: {{ $file.secret }}, defaultMode: 0440 }
  {{- else }}
  configMap: { name: {{ $file.configMap }} }
  {{- end }}
{{- end }}
{{- end -}}
