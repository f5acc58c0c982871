{{/* Names, labels, and the container's image. */}}

{{- define "otel-tcpretrans.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "otel-tcpretrans.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "otel-tcpretrans.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The name of objects that are in no namespace. Releases of one name in two namespaces must not share them. */}}
{{- define "otel-tcpretrans.clusterName" -}}
{{- $name := include "otel-tcpretrans.fullname" . -}}
{{- if eq $name .Release.Namespace -}}
{{- $name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Namespace $name -}}
{{- end -}}
{{- end -}}

{{- define "otel-tcpretrans.selectorLabels" -}}
app.kubernetes.io/name: {{ include "otel-tcpretrans.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "otel-tcpretrans.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "otel-tcpretrans.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "otel-tcpretrans.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "otel-tcpretrans.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "otel-tcpretrans.configMap" -}}
{{- default (include "otel-tcpretrans.fullname" .) .Values.config.name -}}
{{- end -}}

{{- define "otel-tcpretrans.image" -}}
{{- $repository := required "image.repository is required: there is no published image yet. Build one with deploy/container/build.sh, and push it to your registry" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* An AppArmor profile as Kubernetes before 1.30 wants it. */}}
{{- define "otel-tcpretrans.appArmorAnnotation" -}}
{{- if eq .type "Localhost" -}}
localhost/{{ .localhostProfile }}
{{- else -}}
{{- ternary "unconfined" "runtime/default" (eq .type "Unconfined") -}}
{{- end -}}
{{- end -}}

{{/* An endpoint of a PodMonitor or a ServiceMonitor, of the values of either. */}}
{{- define "otel-tcpretrans.endpoint" -}}
- port: metrics
  path: /metrics
  interval: {{ .interval }}
  scrapeTimeout: {{ .scrapeTimeout }}
  {{- with .relabelings }}
  relabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
