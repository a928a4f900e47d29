import { parseCidr, type Cidr } from "../core/address/cidr.ts";
import { PROFILE_NAMES, type ProfileName } from "../core/membership/profile.ts";
import {
  bindAddress,
  duration,
  oneOf,
  positiveDuration,
  text,
  url,
  wholeNumber,
  yesNo,
  type BindAddress,
} from "../core/options/parsers.ts";
import {
  readOptions,
  type DefaultedOption,
  type Option,
  type OptionErrors,
  type Options,
  type Parse,
  type RepeatableOption,
} from "../core/options/table.ts";
import { isDnsSubdomain, parseClusterName, type ClusterName } from "../core/model/names.ts";
import { CALICO_GROUPS, type CalicoGroupChoice } from "../core/plan/calico-mode.ts";
import { LOG_LEVELS, type LogLevel } from "../log/winston.ts";

const clusterName: Parse<ClusterName> = (given) => {
  const value = parseClusterName(given);
  return value === undefined
    ? { expected: "a DNS-1123 label (lower case letters, digits and -, at most 63 characters)" }
    : { value };
};

const dnsName: Parse<string> = (given) =>
  isDnsSubdomain(given) ? { value: given } : { expected: "a DNS-1123 subdomain" };

const cidr: Parse<Cidr> = (given) => {
  const value = parseCidr(given);
  return value === undefined ? { expected: "a range like 10.0.0.0/8 or fd00::/8" } : { value };
};

/** A range, of one remote cluster or of all. */
export interface ClusterCidr {
  readonly cluster: ClusterName | undefined;
  readonly cidr: Cidr;
}

const clusterCidr: Parse<ClusterCidr> = (given) => {
  const equals = given.indexOf("=");
  const name = equals < 0 ? undefined : parseClusterName(given.slice(0, equals));
  const range = parseCidr(given.slice(equals + 1));
  return range === undefined || (equals >= 0 && name === undefined)
    ? { expected: "a range like 10.0.0.0/8, or one cluster's like aws=10.0.0.0/8" }
    : { value: { cluster: name, cidr: range } };
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
  readonly clustersDir: Option<string>;
  readonly labelProfile: DefaultedOption<ProfileName>;
  readonly labelSelector: Option<string>;
  readonly networksetNameAnnotation: DefaultedOption<string>;
  readonly fullStoreResyncPeriod: DefaultedOption<number>;
  readonly podResyncPeriod: DefaultedOption<number>;
  readonly emptySetGrace: DefaultedOption<number>;
  readonly maxNetsPerSet: DefaultedOption<number>;
  readonly maxRemovalPercent: DefaultedOption<number>;
  readonly removalHold: DefaultedOption<number>;
  readonly remotePodCidr: RepeatableOption<ClusterCidr>;
  readonly localCidr: RepeatableOption<Cidr>;
  readonly calicoApiGroup: DefaultedOption<CalicoGroupChoice>;
  readonly staleAfter: DefaultedOption<number>;
  readonly expireAfter: Option<number>;
  readonly leaderElect: DefaultedOption<boolean>;
  readonly leaderElectionId: Option<string>;
  readonly leaderElectionNamespace: Option<string>;
  readonly metricsBindAddress: DefaultedOption<BindAddress | undefined>;
  readonly logLevel: DefaultedOption<LogLevel>;
}

/** One row an option; flags, environment, help and docs/configuration.md follow from it. */
export const OPERATOR_OPTIONS: OperatorTable = {
  targetClusterName: {
    flag: "target-cluster-name",
    env: ["WAYLEAVE_TARGET_CLUSTER_NAME", "KPS_TARGET_CLUSTER_NAME", "SP_TARGET_CLUSTER_NAME"],
    placeholder: "NAME",
    help: "name of the remote cluster, first part of its sets' names; required without clusters-dir",
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
  clustersDir: {
    flag: "clusters-dir",
    env: ["WAYLEAVE_CLUSTERS_DIR"],
    placeholder: "FOLDER",
    help: "folder of kubeconfigs, one file a remote cluster and named after it, instead of the target- and remote- options; followed while running",
    parse: text,
  },
  labelProfile: {
    flag: "label-profile",
    env: ["WAYLEAVE_LABEL_PROFILE"],
    default: "legacy-2021",
    placeholder: "PROFILE",
    help: `how pods opt in and sets are labelled: ${PROFILE_NAMES.join(", ")}`,
    parse: oneOf(...PROFILE_NAMES),
  },
  labelSelector: {
    flag: "label-selector",
    env: ["WAYLEAVE_LABEL_SELECTOR", "KPS_LABEL_SELECTOR", "SP_LABEL_SELECTOR"],
    placeholder: "SELECTOR",
    help: "label selector of the remote pods to watch; without it the profile's own, which for legacy-2021 is uw.systems/networksets=true",
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
  maxNetsPerSet: {
    flag: "max-nets-per-set",
    env: ["WAYLEAVE_MAX_NETS_PER_SET"],
    default: "1000",
    placeholder: "N",
    help: "a set of more addresses becomes several objects of equal labels, 1 to 2000",
    parse: wholeNumber(1, 2000),
  },
  maxRemovalPercent: {
    flag: "max-removal-percent",
    env: ["WAYLEAVE_MAX_REMOVAL_PERCENT"],
    default: "50",
    placeholder: "N",
    help: "a list that would remove more than this share of a cluster's entries, and at least 10, is held until a second one agrees; 100 for never",
    parse: wholeNumber(0, 100),
  },
  removalHold: {
    flag: "removal-hold",
    env: ["WAYLEAVE_REMOVAL_HOLD"],
    default: "30s",
    placeholder: "DURATION",
    help: "how much later that second list must be, and how long a cluster that is taken out of the configuration keeps its sets",
    parse: duration,
  },
  remotePodCidr: {
    flag: "remote-pod-cidr",
    env: ["WAYLEAVE_REMOTE_POD_CIDR"],
    placeholder: "[NAME=]CIDR",
    help: "range that the pods of remote cluster NAME, or of every one, are believed to have; others are refused (repeatable)",
    repeatable: true,
    parse: clusterCidr,
  },
  localCidr: {
    flag: "local-cidr",
    env: ["WAYLEAVE_LOCAL_CIDR"],
    placeholder: "CIDR",
    help: "range of the local cluster, of which no remote is believed to have an address (repeatable)",
    repeatable: true,
    parse: cidr,
  },
  calicoApiGroup: {
    flag: "calico-api-group",
    env: ["WAYLEAVE_CALICO_API_GROUP"],
    default: "auto",
    placeholder: "GROUP",
    help: `API group of the sets: auto (the one Calico reads), ${CALICO_GROUPS.join(", ")}`,
    parse: oneOf<CalicoGroupChoice>("auto", ...CALICO_GROUPS),
  },
  staleAfter: {
    flag: "stale-after",
    env: ["WAYLEAVE_STALE_AFTER"],
    default: "60s",
    placeholder: "DURATION",
    help: "how long after its last proof of life a remote cluster is called stale; its sets are held",
    parse: positiveDuration,
  },
  expireAfter: {
    flag: "expire-after",
    env: ["WAYLEAVE_EXPIRE_AFTER"],
    placeholder: "DURATION",
    help: "how long after its last proof of life a remote cluster's sets are emptied; without it never",
    parse: positiveDuration,
  },
  leaderElect: {
    flag: "leader-elect",
    env: ["WAYLEAVE_LEADER_ELECT"],
    default: "false",
    placeholder: "BOOL",
    help: "write only while holding a Lease, so that several replicas can run",
    isSwitch: true,
    parse: yesNo,
  },
  leaderElectionId: {
    flag: "leader-election-id",
    env: ["WAYLEAVE_LEADER_ELECTION_ID"],
    placeholder: "NAME",
    help: "name of the Lease; without it wayleave-operator-<target-cluster-name>, or wayleave-operator with clusters-dir",
    parse: dnsName,
  },
  leaderElectionNamespace: {
    flag: "leader-election-namespace",
    env: ["WAYLEAVE_LEADER_ELECTION_NAMESPACE"],
    placeholder: "NAMESPACE",
    help: "namespace of the Lease; without it the pod's own, outside a cluster kube-system",
    parse: dnsName,
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
export type OperatorConfig = Options<OperatorTable>;

const SINGLE = [
  "targetClusterName",
  "targetKubeConfig",
  "remoteApiUrl",
  "remoteCaUrl",
  "remoteSaTokenPath",
  "remoteSaToken",
] as const;

function flagsOf(names: readonly (keyof OperatorTable)[]): string {
  const flags = names.map((name) => OPERATOR_OPTIONS[name].flag ?? "remote-sa-token-path");
  return flags.map((flag) => `--${flag}`).join(", ");
}

function missing(given: ReadonlySet<keyof OperatorTable>): string[] {
  const single = SINGLE.filter((name) => given.has(name));
  if (given.has("clustersDir")) {
    return single.length === 0
      ? []
      : [`--clusters-dir: cannot be combined with ${flagsOf(single)}`];
  }
  const errors = given.has("targetClusterName") ? [] : ["--target-cluster-name: required"];
  const piecemeal = single.filter((name) => name.startsWith("remote"));
  if (given.has("targetKubeConfig")) {
    return piecemeal.length === 0
      ? errors
      : [...errors, `--target-kube-config: cannot be combined with ${flagsOf(piecemeal)}`];
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
  return errors.length > 0 ? { errors } : { config: read.options };
}
