import { Device } from '../../main/engine/protocol.ts'

/** The device under test, as `npm run test:device` passes it on. */
export function testedDevice(): Device {
  return Device.parse(process.env.HALFSTEP_TEST_DEVICE ?? 'webgpu')
}
