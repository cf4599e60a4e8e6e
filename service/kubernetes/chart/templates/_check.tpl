{{/* What a schema can say in no words that help: it would show a regular expression. */}}
{{- define "worker.check" -}}
{{- $address := .Values.controlPlane.address }}
{{- if not (regexMatch "^([^/\\s:]+|\\[[0-9a-fA-F:]+\\]):[0-9]{1,5}$" $address) }}
{{- fail (printf "controlPlane.address is %q; expected host:port of the Temporal that runs the roll-outs, such as temporal-frontend.upgrades:7233" $address) }}
{{- end }}
{{- with .Values.controlPlane.tls }}
{{- if and (or .clientCertificate .authority) (not .secret) }}
{{- fail "controlPlane.tls.secret is empty; expected the Secret with the certificates that controlPlane.tls asks for (tls.crt and tls.key, ca.crt)" }}
{{- end }}
{{- if and .secret (not .enabled) }}
{{- fail (printf "controlPlane.tls.secret is %q, but controlPlane.tls.enabled is false; set that to true, or take the Secret away" .secret) }}
{{- end }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not (include "worker.shared" .)) }}
{{- fail (printf "replicas is %d, but workers of one task queue must see the same folders; set persistence.data.accessMode and persistence.backups.accessMode to ReadWriteMany, or replicas to 1" (int .Values.replicas)) }}
{{- end }}
{{- $seen := dict }}
{{- range $index, $target := .Values.targets }}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" $target.namespace) }}
{{- fail (printf "targets[%d].namespace is %q; expected the name of a namespace of this Kubernetes" $index $target.namespace) }}
{{- end }}
{{- if hasKey $seen $target.namespace }}
{{- fail (printf "targets[%d].namespace is %q, which is there already; name each namespace once, with by: helm where one of its targets is changed by helm" $index $target.namespace) }}
{{- end }}
{{- $_ := set $seen $target.namespace true }}
{{- end }}
{{- range $index, $file := .Values.files }}
{{- if not (hasPrefix "/" $file.mountPath) }}
{{- fail (printf "files[%d].mountPath is %q; expected an absolute path" $index $file.mountPath) }}
{{- end }}
{{- if eq (empty $file.configMap) (empty $file.secret) }}
{{- fail (printf "files[%d] (%s) names %s; expected either configMap or secret" $index $file.mountPath (ternary "neither" "both" (empty $file.secret))) }}
{{- end }}
{{- end }}
{{- $sizes := dict "data.size" .Values.persistence.data.size "backups.size" .Values.persistence.backups.size "scratch.sizeLimit" .Values.persistence.scratch.sizeLimit }}
{{- range $field, $size := $sizes }}
{{- if not (regexMatch "^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$" $size) }}
{{- fail (printf "persistence.%s is %q; expected an amount as Kubernetes writes it, such as 10Gi" $field $size) }}
{{- end }}
{{- end }}
{{- end -}}
