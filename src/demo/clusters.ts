/** A cluster of the demo, whatever it is made of. */
export interface DemoCluster {
  /** The URL of its API server. */
  readonly url: URL;
  /** A kubeconfig for it, as YAML, that names `url` and no file. */
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

/** Starts a cluster by its name; what is half started when it rejects has been ended. */
export type StartCluster = (name: string) => Promise<DemoCluster>;
