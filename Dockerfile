# One image for every service; the command says which (`node regional-core/intake/main.ts`).
# TypeScript runs as it is, so nothing is compiled but the voters' page.

FROM node:24-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM base AS page
# The bundler's native parts are optional packages; no install script is needed or run.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node node_modules/vite/bin/vite.js build voter-web

FROM base AS packages
# Without the optional packages: Node comes with the image, Postgres is a server of its own.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

# What compose.yaml runs: mailbox and edge need packages that are for development only.
FROM base AS local
ENV NODE_ENV=production
COPY --from=page --chown=node:node /app /app
# A new volume takes over the owner of the folder it is mounted on.
RUN mkdir /secrets && chown node:node /secrets && chmod 700 /secrets
USER node

# What the regions run. Last, so that a plain `docker build .` makes it.
FROM base AS service
ENV NODE_ENV=production
COPY --from=packages /app/node_modules node_modules
COPY regional-core regional-core
COPY waf-rules waf-rules
COPY admin-portal/api admin-portal/api
USER node
EXPOSE 8080 9000
CMD ["node", "regional-core/intake/main.ts"]
