import type { Command } from 'commander'
import type { DeviceOverview } from '../../services/devices.ts'
import { engineIn } from '../../services/engine.ts'
import { openServices } from '../../services/services.ts'
import { addCommand } from '../command.ts'
import { deviceLines } from '../device-lines.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { rememberedDevices } from '../remembered-devices.ts'

/** `halfstep devices` */
export function devicesCommand(program: Command, invocation: Invocation): void {
  addCommand(program, {
    name: 'devices',
    summary: 'list what models can be computed on, and which device is chosen and why',
    details: 'Devices are tried by really computing on them (--probe); what was found is remembered.',
    examples: ['devices --probe', 'devices --json'],
  })
    .option('--probe', 'try all devices again; takes up to a minute')
    .action((options: DevicesOptions) => invocation.run(options, (bench) => devices(options, bench)))
}

interface DevicesOptions extends CommonOptions {
  readonly probe?: true
}

async function devices(options: DevicesOptions, bench: Workbench): Promise<ExitCode> {
  const { terminal } = bench
  const overview = options.probe === true ? await probe(bench) : rememberedDevices(bench.launch)
  terminal.document(overview)
  terminal.print(...deviceLines(overview, terminal.colors))
  return EXIT.ok
}

async function probe({ launch, terminal, signal }: Workbench): Promise<DeviceOverview> {
  const services = openServices(engineIn(launch))
  signal.addEventListener('abort', () => services.devices.stop())
  try {
    return await services.devices.probe(({ tried, total }) => terminal.status(`Trying devices: ${tried} of ${total} …`))
  } finally {
    services.close()
  }
}
