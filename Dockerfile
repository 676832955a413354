# The build stage installs everything and compiles; the image that runs has Node,
# the built files and the production dependencies.
FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:26-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# Owned by root and read by `node`: what runs cannot change itself. Only rollouts
# write, their state into one folder; the root file system may be read-only.
COPY --from=build /app/package.json ./package.json
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY config ./config
RUN mkdir /var/lib/coalmine && chown node:node /var/lib/coalmine
ENV COALMINE_STATE_DIR=/var/lib/coalmine
VOLUME /var/lib/coalmine
USER node
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch((process.env.COALMINE_ADMIN ?? 'http://127.0.0.1:9090') + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# Node itself is process 1: signals reach it, and it drains.
CMD ["node", "dist/main.js", "run", "--config", "/etc/coalmine/coalmine.yaml"]
