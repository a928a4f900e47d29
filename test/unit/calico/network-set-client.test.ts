import { expect, test } from "@jest/globals";
import { NetworkSetClient, type SetRequest } from "../../../src/calico/network-set-client.ts";
import { setKey } from "../../../src/core/membership/set-id.ts";
import { Fault } from "../../../src/core/model/fault.ts";
import type { ActualSet, DesiredSet } from "../../../src/core/plan/plan-set.ts";
import { cluster } from "../../support/pod-records.ts";

const set: ActualSet & DesiredSet = {
  name: "a",
  uid: "u",
  resourceVersion: "7",
  owner: setKey({ cluster: cluster("c"), namespace: "n", name: "s" }),
  shard: 1,
  labels: {},
  annotations: {},
  nets: ["10.0.0.1/32", "10.0.0.2/32"],
  emptySince: undefined,
  carried: {},
};

const answer = (metadata: object, nets: readonly string[]): unknown => ({
  metadata: { name: "a", uid: "u", resourceVersion: "8", ...metadata },
  spec: { nets },
});

function client(...answers: unknown[]): { sets: NetworkSetClient; sent: SetRequest[] } {
  const sent: SetRequest[] = [];
  const request = async (each: SetRequest): Promise<{ body: unknown }> => {
    sent.push(each);
    return { body: answers.shift() };
  };
  return { sets: new NetworkSetClient({ request }, "projectcalico.org/v3"), sent };
}

test.each<[string, unknown]>([
  ["is empty, as Calico's server sends after conflicts of its own", {}],
  ["has no body", undefined],
  ["holds other nets", answer({}, ["10.0.0.1/32"])],
  ["holds them in another order", answer({}, set.nets.toReversed())],
  ["is about another object", answer({ name: "b" }, set.nets)],
  ["has no version", answer({ resourceVersion: "" }, set.nets)],
])("a write is not believed when its answer %s", async (_what, body) => {
  await expect(client(body).sets.replace(set)).rejects.toMatchObject({ code: "conflict" });
  await expect(client(body).sets.create(set)).rejects.toMatchObject({ code: "conflict" });
});

test("a write is believed when its answer holds what was sent", async () => {
  const { sets } = client(answer({}, set.nets), answer({}, set.nets));
  await expect(sets.replace(set)).resolves.toMatchObject({ resourceVersion: "8", nets: set.nets });
  await expect(sets.create(set)).resolves.toMatchObject({ resourceVersion: "8" });
});

test("a delete names the object's uid and version", async () => {
  const { sets, sent } = client({});
  await sets.delete(set);
  expect(sent).toMatchObject([
    { method: "DELETE", body: { preconditions: { uid: "u", resourceVersion: "7" } } },
  ]);
});

test("after its retirement nothing is sent, and no answer that was under way counts", async () => {
  let release: (body: { body: unknown }) => void = () => {};
  let refuse: (error: Error) => void = () => {};
  const pending: Promise<{ body: unknown }>[] = [
    new Promise((resolve) => (release = resolve)),
    new Promise((_resolve, reject) => (refuse = reject)),
  ];
  const sent: SetRequest[] = [];
  const request = async (each: SetRequest): Promise<{ body: unknown }> => {
    sent.push(each);
    return pending.shift() ?? { body: {} };
  };
  const sets = new NetworkSetClient({ request }, "crd.projectcalico.org/v1");
  const writes = [sets.replace(set), sets.delete(set)];
  sets.retire();
  release({ body: answer({}, set.nets) });
  refuse(new Fault("unavailable", "gone"));
  for (const write of writes) await expect(write).rejects.toMatchObject({ code: "conflict" });
  await expect(sets.get("a")).rejects.toMatchObject({ code: "conflict" });
  expect(sent).toHaveLength(2);
});
