import { formatCidr } from "../core/address/cidr.ts";
import { makeFence, type Fence, type NamedRange } from "../core/address/fence.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { OperatorConfig } from "./options.ts";

/** The fences of all remote clusters: what is declared for each, and the local ranges that none may claim. */
export class Fences {
  readonly #config: Pick<OperatorConfig, "remotePodCidr" | "localCidr">;
  readonly #fences = new Map<ClusterName, Fence>();
  #found: readonly NamedRange[] = [];

  constructor(config: Pick<OperatorConfig, "remotePodCidr" | "localCidr">) {
    this.#config = config;
  }

  /** Whether any range is declared for `name`. */
  isDeclared(name: ClusterName): boolean {
    return this.#declared(name).length > 0;
  }

  of(name: ClusterName): Fence {
    let fence = this.#fences.get(name);
    if (fence === undefined) {
      const local = this.#config.localCidr.map((cidr) => ({
        cidr,
        what: `lies in the local range ${formatCidr(cidr)}`,
      }));
      const declared = this.#declared(name).map(({ cidr }) => cidr);
      fence = makeFence(declared, [...local, ...this.#found]);
      this.#fences.set(name, fence);
    }
    return fence;
  }

  /** The local ranges as the local cluster tells them now, besides those of `--local-cidr`. */
  setFound(ranges: readonly NamedRange[]): void {
    this.#found = ranges;
    this.#fences.clear();
  }

  #declared(name: ClusterName): OperatorConfig["remotePodCidr"] {
    return this.#config.remotePodCidr.filter(
      ({ cluster }) => cluster === undefined || cluster === name,
    );
  }
}
