{{/* The rules of service/kubernetes/role.yaml, role-helm.yaml and role-operator.yaml; test/service/worker-chart.test.ts holds them equal. */}}
{{- define "rules.pods" -}}
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch, patch]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list, watch]
- apiGroups: ['']
  resources: [pods]
  verbs: [list, watch, patch, delete]
- apiGroups: ['']
  resources: [pods/log]
  verbs: [get]
- apiGroups: ['']
  resources: [events]
  verbs: [list]
- apiGroups: ['']
  resources: [configmaps]
  verbs: [get, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
{{- end -}}

{{- define "rules.helm" -}}
- apiGroups: ['']
  resources: [secrets, configmaps, services, serviceaccounts]
  verbs: [get, list, create, update, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [create, update, delete]
{{- end -}}

{{- define "rules.operator" -}}
- apiGroups: [temporal.io]
  resources: [temporalclusters]
  verbs: [get, list, watch, patch]
{{- end -}}
