import { plain, type Routes } from "../http/server.ts";

/** One named condition of readiness, or of interest. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** For people: what is the matter, or what is well. */
  readonly message: string;
}

/** What the probes tell. */
export interface ProbeFacts {
  /** All of these must hold for `/readyz`. */
  readonly ready: () => readonly Check[];
  /** Shown by `/readyz?verbose` besides, and never part of readiness: the state of remotes. */
  readonly shown: () => readonly Check[];
  readonly metrics: () => Promise<string>;
  readonly metricsType: string;
}

function lines(checks: readonly Check[], mark: (ok: boolean) => string): string {
  return checks.map(({ name, ok, message }) => `[${mark(ok)}]${name} ${message}\n`).join("");
}

/**
 * `/livez` and `/healthz` answer as long as the process and its event loop do; `/readyz` when every `ready` check holds,
 * with all checks listed when it does not or `?verbose` is given (Kubernetes' own format); `/metrics`.
 */
export function probeRoutes(facts: ProbeFacts): Routes {
  return {
    "/livez": () => plain(200, "ok\n"),
    "/healthz": () => plain(200, "ok\n"),
    "/readyz": ({ query }) => {
      const ready = facts.ready();
      const isReady = ready.every((check) => check.ok);
      if (isReady && !query.has("verbose")) return plain(200, "ok\n");
      const text =
        lines(ready, (ok) => (ok ? "+" : "-")) + lines(facts.shown(), (ok) => (ok ? "+" : "!"));
      return plain(isReady ? 200 : 503, `${text}readyz check ${isReady ? "passed" : "failed"}\n`);
    },
    "/metrics": async () => ({
      status: 200,
      contentType: facts.metricsType,
      body: await facts.metrics(),
    }),
  };
}
