{{- define "asynq-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "asynq-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "asynq-operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "asynq-operator.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "asynq-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "asynq-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "asynq-operator.labels" -}}
{{ include "asynq-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "asynq-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "asynq-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "asynq-operator.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* What the operator may do in the namespaces that it serves. */}}
{{- define "asynq-operator.rules" -}}
- apiGroups: [asynq.dev]
  resources: [asynqqueues]
  verbs: [list, watch]
- apiGroups: [asynq.dev]
  resources: [asynqqueues/status]
  verbs: [patch]
- apiGroups: [asynq.dev]
  resources: [asynqqueues/finalizers] # a Deployment that blocks its owner's deletion asks for it
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments/scale]
  verbs: [patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [configmaps] # handler modules: a changed one rolls the workers
  verbs: [get]
- apiGroups: [""]
  resources: [secrets]
  {{- with .Values.rbac.secretNames }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* The default connection to Redis: what `asynq-operator operator` reads. */}}
{{- define "asynq-operator.redisEnv" -}}
{{- with .Values.redis }}
{{- with .mode }}
- name: ASYNQ_REDIS_MODE
  value: {{ . | quote }}
{{- end }}
- name: ASYNQ_REDIS_ADDRS
  value: {{ join "," .addrs | quote }}
{{- if hasKey . "db" }}
- name: ASYNQ_REDIS_DB
  value: {{ .db | int | quote }}
{{- end }}
{{- with .username }}
- name: ASYNQ_REDIS_USERNAME
  value: {{ . | quote }}
{{- end }}
{{- with .passwordSecretRef }}
- name: ASYNQ_REDIS_PASSWORD_SECRET
  value: {{ .name | quote }}
{{- with .key }}
- name: ASYNQ_REDIS_PASSWORD_SECRET_KEY
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .tls }}
{{- if ne .enabled false }}
- name: ASYNQ_REDIS_TLS
  value: "true"
{{- with .caSecretRef }}
- name: ASYNQ_REDIS_TLS_CA_SECRET
  value: {{ .name | quote }}
{{- with .key }}
- name: ASYNQ_REDIS_TLS_CA_SECRET_KEY
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .certSecretRef }}
- name: ASYNQ_REDIS_TLS_CERT_SECRET
  value: {{ .name | quote }}
{{- end }}
{{- with .serverName }}
- name: ASYNQ_REDIS_TLS_SERVER_NAME
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
