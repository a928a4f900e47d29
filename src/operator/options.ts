import {
  bindAddress,
  duration,
  oneOf,
  positiveDuration,
  text,
  url,
  type BindAddress,
} from "../core/options/parsers.ts";
import {
  readOptions,
  type DefaultedOption,
  type Option,
  type OptionErrors,
  type Options,
  type Parse,
} from "../core/options/table.ts";
import { parseClusterName, type ClusterName } from "../core/model/names.ts";
import { LOG_LEVELS, type LogLevel } from "../log/winston.ts";

const clusterName: Parse<ClusterName> = (given) => {
  const value = parseClusterName(given);
  return value === undefined
    ? { expected: "a DNS-1123 label (lower case letters, digits and -, at most 63 characters)" }
    : { value };
};

/** The options of `wayleave operator`, by name. */
export interface OperatorTable {
  readonly targetClusterName: Option<ClusterName>;
  readonly targetKubeConfig: Option<string>;
  readonly localKubeConfig: Option<string>;
  readonly remoteApiUrl: Option<string>;
  readonly remoteCaUrl: Option<string>;
  readonly remoteSaTokenPath: Option<string>;
  readonly remoteSaToken: Option<string>;
  readonly labelSelector: DefaultedOption<string>;
  readonly networksetNameAnnotation: DefaultedOption<string>;
  readonly fullStoreResyncPeriod: DefaultedOption<number>;
  readonly podResyncPeriod: DefaultedOption<number>;
  readonly emptySetGrace: DefaultedOption<number>;
  readonly metricsBindAddress: DefaultedOption<BindAddress | undefined>;
  readonly logLevel: DefaultedOption<LogLevel>;
}

/** One row an option; flags, environment, help and docs/configuration.md follow from it. */
export const OPERATOR_OPTIONS: OperatorTable = {
  targetClusterName: {
    flag: "target-cluster-name",
    env: ["WAYLEAVE_TARGET_CLUSTER_NAME", "KPS_TARGET_CLUSTER_NAME", "SP_TARGET_CLUSTER_NAME"],
    placeholder: "NAME",
    help: "name of the remote cluster, first part of its sets' names (required)",
    parse: clusterName,
  },
  targetKubeConfig: {
    flag: "target-kube-config",
    env: ["WAYLEAVE_TARGET_KUBE_CONFIG", "KPS_TARGET_KUBE_CONFIG", "SP_TARGET_KUBE_CONFIG"],
    placeholder: "FILE",
    help: "kubeconfig of the remote cluster; without it remote-api-url and its companions are used",
    parse: text,
  },
  localKubeConfig: {
    flag: "local-kube-config",
    env: ["WAYLEAVE_LOCAL_KUBE_CONFIG", "KPS_LOCAL_KUBE_CONFIG", "SP_LOCAL_KUBE_CONFIG"],
    placeholder: "FILE",
    help: "kubeconfig of the local cluster; without it the pod's own ServiceAccount is used",
    parse: text,
  },
  remoteApiUrl: {
    flag: "remote-api-url",
    env: ["WAYLEAVE_REMOTE_API_URL", "KPS_REMOTE_API_URL", "SP_REMOTE_API_URL"],
    placeholder: "URL",
    help: "URL of the remote API server, when there is no target-kube-config",
    parse: url("https"),
  },
  remoteCaUrl: {
    flag: "remote-ca-url",
    env: ["WAYLEAVE_REMOTE_CA_URL", "KPS_REMOTE_CA_URL", "SP_REMOTE_CA_URL"],
    placeholder: "URL",
    help: "URL of the remote API server's CA certificate in PEM, fetched over https",
    parse: url("https"),
  },
  remoteSaTokenPath: {
    flag: "remote-sa-token-path",
    env: [
      "WAYLEAVE_REMOTE_SERVICE_ACCOUNT_TOKEN_PATH",
      "KPS_REMOTE_SERVICE_ACCOUNT_TOKEN_PATH",
      "SP_REMOTE_SERVICE_ACCOUNT_TOKEN_PATH",
    ],
    placeholder: "FILE",
    help: "file with the bearer token for remote-api-url, read again when it changes",
    parse: text,
  },
  remoteSaToken: {
    env: [
      "WAYLEAVE_REMOTE_SERVICE_ACCOUNT_TOKEN",
      "KPS_REMOTE_SERVICE_ACCOUNT_TOKEN",
      "SP_REMOTE_SERVICE_ACCOUNT_TOKEN",
    ],
    placeholder: "TOKEN",
    help: "the bearer token itself, when there is no remote-sa-token-path",
    parse: text,
  },
  labelSelector: {
    flag: "label-selector",
    env: ["WAYLEAVE_LABEL_SELECTOR", "KPS_LABEL_SELECTOR", "SP_LABEL_SELECTOR"],
    default: "uw.systems/networksets=true",
    placeholder: "SELECTOR",
    help: "label selector of the remote pods to watch",
    parse: text,
  },
  networksetNameAnnotation: {
    flag: "networkset-name-annotation",
    env: [
      "WAYLEAVE_NETSET_NAME_ANNOTATION",
      "KPS_NETSET_NAME_ANNOTATION",
      "SP_NETSET_NAME_ANNOTATION",
    ],
    default: "uw.systems/networkset-name",
    placeholder: "KEY",
    help: "annotation of a pod whose value is the name of its set",
    parse: text,
  },
  fullStoreResyncPeriod: {
    flag: "full-store-resync-period",
    env: ["WAYLEAVE_FULL_STORE_RESYNC_PERIOD"],
    default: "1h",
    placeholder: "DURATION",
    help: "how often all sets are listed, compared and repaired; 0 for never",
    parse: duration,
  },
  podResyncPeriod: {
    flag: "pod-resync-period",
    env: ["WAYLEAVE_POD_RESYNC_PERIOD"],
    default: "1h",
    placeholder: "DURATION",
    help: "how often the remote pods are listed anew besides being watched; 0 for never",
    parse: duration,
  },
  emptySetGrace: {
    flag: "empty-set-grace",
    env: ["WAYLEAVE_EMPTY_SET_GRACE"],
    default: "10m",
    placeholder: "DURATION",
    help: "how long a set whose last member left keeps its object",
    parse: positiveDuration,
  },
  metricsBindAddress: {
    flag: "metrics-bind-address",
    env: ["WAYLEAVE_METRICS_BIND_ADDRESS"],
    default: ":8080",
    placeholder: "ADDRESS",
    help: "where probes and metrics are served; 0 for nowhere",
    parse: bindAddress,
  },
  logLevel: {
    flag: "log-level",
    env: ["WAYLEAVE_LOG_LEVEL", "KPS_LOG_LEVEL", "SP_LOG_LEVEL"],
    default: "info",
    placeholder: "LEVEL",
    help: `how much is logged: ${LOG_LEVELS.join(", ")}`,
    parse: oneOf(...LOG_LEVELS),
  },
};

/** The settings of an operator. */
export type OperatorConfig = Omit<Options<OperatorTable>, "targetClusterName"> & {
  readonly targetClusterName: ClusterName;
};

function missing(given: ReadonlySet<keyof OperatorTable>): string[] {
  const errors = given.has("targetClusterName") ? [] : ["--target-cluster-name: required"];
  const piecemeal = (["remoteApiUrl", "remoteCaUrl", "remoteSaTokenPath", "remoteSaToken"] as const)
    .filter((name) => given.has(name))
    .map((name) => `--${OPERATOR_OPTIONS[name].flag ?? "remote-sa-token-path"}`);
  if (given.has("targetKubeConfig")) {
    return piecemeal.length === 0
      ? errors
      : [...errors, `--target-kube-config: cannot be combined with ${piecemeal.join(", ")}`];
  }
  if (!given.has("remoteApiUrl")) {
    errors.push(
      "--target-kube-config: required, or else --remote-api-url with --remote-sa-token-path",
    );
  } else if (!given.has("remoteSaTokenPath") && !given.has("remoteSaToken")) {
    errors.push("--remote-sa-token-path: required with --remote-api-url");
  }
  return errors;
}

/** Reads the operator's settings; all errors are reported together, each naming the option and the value. */
export function readOperatorConfig(
  flags: Readonly<Record<string, readonly string[]>>,
  env: Readonly<Record<string, string | undefined>>,
): { readonly config: OperatorConfig } | { readonly errors: OptionErrors } {
  const read = readOptions(OPERATOR_OPTIONS, flags, env);
  const errors = [...read.errors, ...missing(read.given)];
  const { targetClusterName } = read.options;
  return errors.length > 0 || targetClusterName === undefined
    ? { errors }
    : { config: { ...read.options, targetClusterName } };
}
