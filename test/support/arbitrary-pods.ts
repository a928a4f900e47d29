import fc from "fast-check";
import type { Fields } from "./kube-protobuf.ts";

/** Text of any length and script, long ones included. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme-ascii", minLength: 130, maxLength: 400 }) },
);
const name = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 30 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const bytes = fc.uint8Array({ maxLength: 200 });
const time = some({ seconds: int64, nanos: int32 });
const key = fc
  .oneof(fc.constantFrom("app", "tier", "set", "net", ""), name)
  .filter((each) => each !== "__proto__");
const texts = fc.dictionary(key, text, { maxKeys: 8, noNullPrototype: true });

/** Any of the fields. */
function some(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Fields> {
  return fc.record(fields, { requiredKeys: [] });
}

function few<T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(each, { maxLength: 3 });
}

const port = some({
  name: text,
  hostPort: int32,
  containerPort: int32,
  protocol: fc.constantFrom("TCP", "UDP", "SCTP", "", "QUIC"),
  hostIP: text,
  xFixed: int64,
});

const container = some({
  name: text,
  image: text,
  command: few(text),
  workingDir: text,
  ports: few(port),
  env: few(some({ name: text, value: text })),
  volumeMounts: few(some({ name: text, readOnly: fc.boolean() })),
  tty: fc.boolean(),
  restartPolicy: fc.constantFrom("", "Always", "Never"),
  xFloat: fc.float({ noNaN: true }),
  xPacked: few(int64),
});

/** The fields of a Pod, as `encode("Pod", …)` takes them; it always has a name and a namespace. */
export const arbitraryPod: fc.Arbitrary<Fields> = fc.record(
  {
    metadata: fc.record(
      {
        name,
        namespace: fc.oneof(fc.constantFrom("default", "shop"), name),
        generateName: text,
        uid: text,
        resourceVersion: text,
        generation: int64,
        creationTimestamp: time,
        deletionTimestamp: time,
        deletionGracePeriodSeconds: int64,
        labels: texts,
        annotations: texts,
        ownerReferences: few(some({ kind: text, name: text, controller: fc.boolean() })),
        finalizers: few(text),
        managedFields: few(some({ manager: text, time, fieldsV1: some({ Raw: bytes }) })),
        xNumber: int64,
        xDouble: fc.double({ noNaN: true }),
        xFixed: fc.nat(),
        xBytes: bytes,
      },
      { requiredKeys: ["name", "namespace"] },
    ),
    spec: some({
      volumes: few(some({ name: text })),
      containers: few(container),
      initContainers: few(container),
      restartPolicy: text,
      terminationGracePeriodSeconds: int64,
      nodeSelector: texts,
      nodeName: text,
      hostNetwork: fc.boolean(),
      hostPID: fc.boolean(),
      tolerations: few(some({ key: text, tolerationSeconds: int64 })),
      priority: int32,
      xBytes: bytes,
    }),
    status: some({
      phase: fc.constantFrom("Pending", "Running", "Succeeded", "Failed", "Unknown", "", "New"),
      conditions: few(some({ type: text, lastTransitionTime: time })),
      message: text,
      hostIP: text,
      podIP: fc.constantFrom("10.0.0.1", "fd00::1", ""),
      podIPs: few(some({ ip: fc.constantFrom("10.0.0.1", "fd00::1", ""), xNumber: fc.nat() })),
      startTime: time,
      containerStatuses: few(some({ name: text, ready: fc.boolean(), restartCount: int32 })),
      observedGeneration: int64,
    }),
    xNumber: int32,
  },
  { requiredKeys: ["metadata"] },
);
