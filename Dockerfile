# syntax=docker/dockerfile:1
FROM docker.io/library/node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-fund --no-audit
COPY tsconfig.json ./
COPY src src
RUN npm run build && npm prune --omit=dev

FROM docker.io/library/node:24-bookworm-slim
LABEL org.opencontainers.image.title="wayleave" \
      org.opencontainers.image.description="Network policy that follows pods across Kubernetes clusters" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
USER 65532:65532
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["operator"]
