# An image of the long-lived program with its embedded stand-ins; it runs as an unprivileged user.
#
#   docker build -t firehose-backfill .
#   docker run --init --rm -v firehose-backfill:/data firehose-backfill
#
# Without RELAY_URL it replays the bundled sample relay; without DATABASE_URL it uses its own Postgres. All state is in /data.
# Settings are environment variables (README.md). compose.yaml shows them, with limits on processor and memory.

FROM node:24-bookworm-slim AS source
WORKDIR /app
COPY . .
# No install scripts are needed: the image has Node 24, and prebuilt binaries are separate packages.
ENV npm_config_ignore_scripts=true npm_config_fund=false npm_config_audit=false

FROM source AS build
RUN npm ci && npm run build

FROM source AS dependencies
RUN npm ci --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production BACKFILL_DATA_DIR=/data
WORKDIR /app
# package.json says `"type": "module"`; node_modules has the third-party packages of the built program.
COPY package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist/server ./dist/server
COPY --from=build /app/dist/fixtures ./dist/fixtures
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
# SIGTERM finishes and saves the current batch.
STOPSIGNAL SIGTERM
# The page listens on the container's own loopback only: `docker exec ID node dist/server/index.js status` shows the same.
HEALTHCHECK --interval=60s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8787/status.json').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["nice", "-n", "19", "node", "--expose-gc", "dist/server/index.js"]
