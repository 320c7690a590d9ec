# syntax=docker/dockerfile:1
# Two stages: what is needed to compile never reaches the image. docs/howto/deploy.md builds it.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY .ci/build.mjs .ci/build.mjs
COPY engine engine
COPY jobs jobs
COPY lifecycle lifecycle
COPY fixtures fixtures
RUN node .ci/build.mjs
RUN find dist -name '*.test.*' -delete -o -name '*.contract.*' -delete

FROM node:24.21.0-bookworm-slim AS production
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
# Sources too, without their compiler: data files lie beside them.
COPY engine engine
COPY jobs jobs
COPY lifecycle lifecycle
COPY fixtures/consignments fixtures/consignments
COPY --from=build /app/dist dist
RUN find engine jobs lifecycle -name '*.ts' -delete
# The one place a task may write to: a volume takes over the owner of the folder it covers.
RUN mkdir /scratch && chown node:node /scratch
VOLUME ["/scratch"]
ENV TMPDIR=/scratch
USER node
EXPOSE 8080
# ECS has its own, the same, in infra/service.ts: it does not read this one.
HEALTHCHECK --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# Node is process 1 and gets the signal: no shell and no npm in between.
ENTRYPOINT ["node", "--enable-source-maps", "dist/engine/main.js"]
CMD ["serve"]
