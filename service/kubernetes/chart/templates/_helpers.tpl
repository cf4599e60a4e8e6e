{{/* Every name begins with that of the release; a worker of another task queue is another release. */}}
{{- define "worker.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "worker.account" -}}
{{- .Values.serviceAccount.name | default (ternary (include "worker.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* In namespaces of targets, where workers of other releases may have theirs. */}}
{{- define "worker.role" -}}
{{- printf "temporal-upgrade:%s:%s" .Release.Namespace .Release.Name -}}
{{- end -}}

{{- define "worker.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "worker.labels" -}}
{{ include "worker.selector" . }}
app.kubernetes.io/component: upgrade-worker
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Whether several pods can have the volumes at a time. */}}
{{- define "worker.shared" -}}
{{- $data := eq .Values.persistence.data.accessMode "ReadWriteMany" -}}
{{- $backups := or (not .Values.persistence.backups.enabled) (eq .Values.persistence.backups.accessMode "ReadWriteMany") -}}
{{- if and $data $backups }}true{{ end -}}
{{- end -}}
