import type { OnnxAttribute, OnnxGraph, OnnxTensor } from '../schema.ts'

/** The attributes of a node by name. A number that is there but was left out of the message is zero, as protobuf has it. */
export class Attributes {
  readonly #byName: ReadonlyMap<string, OnnxAttribute>

  constructor(attributes: readonly OnnxAttribute[]) {
    this.#byName = new Map(attributes.map((attribute) => [attribute.name ?? '', attribute]))
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  int(name: string, otherwise: number): number {
    const attribute = this.#byName.get(name)
    return attribute === undefined ? otherwise : (attribute.i ?? 0)
  }

  flag(name: string, otherwise = false): boolean {
    return this.int(name, otherwise ? 1 : 0) !== 0
  }

  float(name: string, otherwise: number): number {
    const attribute = this.#byName.get(name)
    return attribute === undefined ? otherwise : (attribute.f ?? 0)
  }

  text(name: string, otherwise: string): string {
    const attribute = this.#byName.get(name)
    return attribute === undefined ? otherwise : new TextDecoder().decode(attribute.s)
  }

  ints(name: string): readonly number[] | undefined {
    const attribute = this.#byName.get(name)
    return attribute === undefined ? undefined : (attribute.ints ?? [])
  }

  floats(name: string): readonly number[] | undefined {
    const attribute = this.#byName.get(name)
    return attribute === undefined ? undefined : (attribute.floats ?? [])
  }

  tensor(name: string): OnnxTensor | undefined {
    return this.#byName.get(name)?.t
  }

  graph(name: string): OnnxGraph | undefined {
    return this.#byName.get(name)?.g
  }
}
