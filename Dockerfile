# One image for the operator, for the bundled worker runtime and for the command lines of both:
#   asynq-operator operator | worker | ...
FROM node:24-slim AS manifests
WORKDIR /src
COPY package.json package-lock.json .npmrc ./

FROM manifests AS dependencies
RUN npm ci --omit=dev --ignore-scripts

FROM manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build

FROM gcr.io/distroless/nodejs24-debian12:nonroot
ARG VERSION=dev
LABEL org.opencontainers.image.title="asynq-operator" \
      org.opencontainers.image.description="Asynq task queues on Redis Cluster: an operator that scales workers per queue, and the worker runtime" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

# The package's own folder: a handler module at /app/handlers finds `asynq-operator` there, by its package.json.
WORKDIR /app
COPY --from=dependencies /src/node_modules node_modules
COPY package.json LICENSE ./
COPY crds crds
COPY docs docs
COPY --from=build /src/dist dist

ENV NODE_ENV=production
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "--enable-source-maps", "/app/dist/bin/asynq-operator.js"]
