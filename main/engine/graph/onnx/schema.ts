import protobuf from 'protobufjs'

/**
 * The messages of onnx.proto that models use, with their field numbers (ONNX IR specification, version 10). Unknown fields of
 * a file are skipped, as protobuf intends.
 */
const field = (id: number, type: string, rule?: 'repeated') => (rule === undefined ? { id, type } : { id, type, rule })

const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        graph: field(7, 'GraphProto'),
        opsetImport: field(8, 'OperatorSetIdProto', 'repeated'),
        metadataProps: field(14, 'StringStringEntryProto', 'repeated'),
        functions: field(25, 'FunctionProto', 'repeated'),
      },
    },
    OperatorSetIdProto: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    FunctionProto: { fields: { name: field(1, 'string'), domain: field(10, 'string') } },
    GraphProto: {
      fields: {
        node: field(1, 'NodeProto', 'repeated'),
        name: field(2, 'string'),
        initializer: field(5, 'TensorProto', 'repeated'),
        input: field(11, 'ValueInfoProto', 'repeated'),
        output: field(12, 'ValueInfoProto', 'repeated'),
        valueInfo: field(13, 'ValueInfoProto', 'repeated'),
      },
    },
    NodeProto: {
      fields: {
        input: field(1, 'string', 'repeated'),
        output: field(2, 'string', 'repeated'),
        name: field(3, 'string'),
        opType: field(4, 'string'),
        attribute: field(5, 'AttributeProto', 'repeated'),
        domain: field(7, 'string'),
      },
    },
    AttributeProto: {
      fields: {
        name: field(1, 'string'),
        f: field(2, 'float'),
        i: field(3, 'int64'),
        s: field(4, 'bytes'),
        t: field(5, 'TensorProto'),
        g: field(6, 'GraphProto'),
        floats: field(7, 'float', 'repeated'),
        ints: field(8, 'int64', 'repeated'),
        strings: field(9, 'bytes', 'repeated'),
        type: field(20, 'int32'),
      },
    },
    TensorProto: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        dataType: field(2, 'int32'),
        floatData: field(4, 'float', 'repeated'),
        int32Data: field(5, 'int32', 'repeated'),
        int64Data: field(7, 'int64', 'repeated'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
        doubleData: field(10, 'double', 'repeated'),
        uint64Data: field(11, 'uint64', 'repeated'),
        externalData: field(13, 'StringStringEntryProto', 'repeated'),
        dataLocation: field(14, 'int32'),
      },
    },
    StringStringEntryProto: { fields: { key: field(1, 'string'), value: field(2, 'string') } },
    ValueInfoProto: { fields: { name: field(1, 'string'), type: field(2, 'TypeProto') } },
    TypeProto: {
      fields: { tensorType: field(1, 'TensorTypeProto'), sequenceType: field(4, 'OpaqueProto'), optionalType: field(9, 'OpaqueProto') },
    },
    OpaqueProto: { fields: {} },
    TensorTypeProto: { fields: { elemType: field(1, 'int32'), shape: field(2, 'TensorShapeProto') } },
    TensorShapeProto: { fields: { dim: field(1, 'DimensionProto', 'repeated') } },
    DimensionProto: { fields: { dimValue: field(1, 'int64'), dimParam: field(2, 'string') } },
  },
})

export const ModelMessage = root.lookupType('ModelProto')

/** `AttributeProto.AttributeType` */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const

/** `TensorProto.DataLocation` */
export const EXTERNAL_LOCATION = 1

/*
 * The messages as plain objects. A field that a file left out is undefined; repeated fields are at least empty. 64-bit integers
 * are numbers: beyond 2⁵³ they are rounded, which only concerns the "no end" sentinels of Slice.
 */

export interface OnnxModel {
  readonly irVersion?: number
  readonly producerName?: string
  readonly opsetImport: readonly { readonly domain?: string; readonly version?: number }[]
  readonly graph?: OnnxGraph
  /** What exporters tell about a model beyond the standard. */
  readonly metadataProps?: readonly { readonly key?: string; readonly value?: string }[]
  readonly functions?: readonly { readonly name?: string; readonly domain?: string }[]
}

export interface OnnxGraph {
  readonly name?: string
  readonly node: readonly OnnxNode[]
  readonly initializer: readonly OnnxTensor[]
  readonly input: readonly OnnxValueInfo[]
  readonly output: readonly OnnxValueInfo[]
}

export interface OnnxNode {
  readonly name?: string
  readonly opType?: string
  readonly domain?: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly attribute: readonly OnnxAttribute[]
}

export interface OnnxAttribute {
  readonly name?: string
  readonly type?: number
  readonly f?: number
  readonly i?: number
  readonly s?: Uint8Array
  readonly t?: OnnxTensor
  readonly g?: OnnxGraph
  readonly floats?: readonly number[]
  readonly ints?: readonly number[]
  readonly strings?: readonly Uint8Array[]
}

export interface OnnxTensor {
  readonly name?: string
  readonly dims: readonly number[]
  readonly dataType?: number
  readonly rawData?: Uint8Array
  readonly floatData?: readonly number[]
  readonly int32Data?: readonly number[]
  readonly int64Data?: readonly number[]
  readonly uint64Data?: readonly number[]
  readonly doubleData?: readonly number[]
  readonly externalData?: readonly { readonly key?: string; readonly value?: string }[]
  readonly dataLocation?: number
}

export interface OnnxValueInfo {
  readonly name?: string
  readonly type?: {
    readonly tensorType?: {
      readonly elemType?: number
      readonly shape?: { readonly dim: readonly { readonly dimValue?: number; readonly dimParam?: string }[] }
    }
  }
}
