import type { DeviceRecord } from '../../../main/ipc/contract.ts'

/** What people call the way a device is driven. */
export const DEVICE_NAMES: Readonly<Record<DeviceRecord['device'], string>> = {
  cuda: 'NVIDIA CUDA',
  dml: 'DirectML',
  coreml: 'Core ML',
  webgpu: 'WebGPU',
  cpu: 'Processor',
}

/** `12.0 GB` (10⁹ bytes, as devices are sold), or what to say when it is not known. */
export function memoryWords(bytes: number | null): string {
  return bytes === null ? 'not reported' : `${(bytes / 1e9).toFixed(1)} GB`
}

/** `3.2 TFLOP/s` or `140 GFLOP/s` of a matrix product, or what to say when it was not measured. */
export function speedWords(flops: number | null): string {
  if (flops === null) return 'not measured'
  return flops >= 1e12 ? `${(flops / 1e12).toFixed(1)} TFLOP/s` : `${(flops / 1e9).toFixed(0)} GFLOP/s`
}
