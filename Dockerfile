# syntax=docker/dockerfile:1
# The samples of this repository, run by the command. An own project: see docs/operations.md.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY tools/ tools/
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY lib/ lib/
COPY operators/ operators/
COPY connectors/ connectors/
COPY cli/ cli/
COPY eslint/ eslint/
RUN node tools/build.mjs

# As a project has them that depends on the package: rxjs, its peer, and nothing for development. Versions are those of the lock.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm pkg set "dependencies.rxjs=~7.8.2" \
  && npm pkg delete devDependencies workspaces \
  && npm install --omit=dev --ignore-scripts

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules/ node_modules/
COPY --from=build /app/dist/ dist/
COPY package.json ./
COPY samples/ samples/
RUN mkdir /data && chown node:node /data
# By number, so that Kubernetes can see that it is not root: the user "node" of the image.
USER 1000:1000
VOLUME /data
EXPOSE 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# No shell in between: the signal that stops the container reaches the job.
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["run", "samples/card-totals", "--store", "/data/state", "--set", "out=/data/out", "--json", "--listen", "0.0.0.0:9464"]
