import { mount } from 'svelte'
import '@fontsource-variable/figtree'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import App from './App.svelte'
import { createLocalBridge } from './bridge/local-bridge.ts'
import { AdapterState } from './state/adapters.svelte.ts'
import { Answer } from './state/answer.svelte.ts'
import { Bin } from './state/bin.ts'
import { ConnectionState } from './state/connection.svelte.ts'
import { DeviceState } from './state/devices.svelte.ts'
import { FileChooser } from './state/file-chooser.svelte.ts'
import { Intake } from './state/intake.ts'
import { ModelState } from './state/models.svelte.ts'
import { RepairState } from './state/repair.svelte.ts'
import { RouterState } from './state/router.svelte.ts'
import { RunListState } from './state/run-list.svelte.ts'
import { SettingsState } from './state/settings.svelte.ts'
import { ShelfState } from './state/shelf.svelte.ts'
import { StudioState } from './state/studio.svelte.ts'
import { TaskState } from './state/tasks.svelte.ts'
import { TemplatePreview } from './state/template-preview.svelte.ts'
import { ToastState } from './state/toasts.svelte.ts'
import { TrainState } from './state/train.svelte.ts'

const target = document.getElementById('app')
if (!target) throw new Error('index.html lacks the element the app is mounted in.')

// What happened while nothing was heard is not known here: a fresh page asks for everything.
const connection = new ConnectionState(() => location.reload())
const bridge = window.halfstep ?? createLocalBridge({
  fetch: fetch.bind(window),
  listen: () => new EventSource('/events'),
  onConnection: (state) => connection.set(state),
})

const toasts = new ToastState()
const info = new Answer(() => bridge.call('app.info', {}))
const app = {
  bridge,
  connection,
  router: new RouterState(window),
  toasts,
  bin: new Bin(bridge, toasts),
  info,
  files: new FileChooser(bridge, () => info.value?.dialogs === 'native'),
  intake: new Intake(bridge, fetch.bind(window), window.halfstep?.pathOf),
  settings: new SettingsState(bridge, document.documentElement),
  devices: new DeviceState(bridge),
  models: new ModelState(bridge),
  runs: new RunListState(bridge),
  adapters: new AdapterState(bridge),
  studio: new StudioState(bridge),
  repair: new RepairState(bridge),
  datasets: new ShelfState(() => bridge.call('datasets.list', {}), ({ id }) => id),
  prompts: new ShelfState(() => bridge.call('prompts.list', {}), ({ key }) => key),
  templates: new ShelfState(() => bridge.call('templates.list', {}), ({ key }) => key),
  templatePreview: new TemplatePreview(bridge),
  rewards: new ShelfState(() => bridge.call('rewards.list', {}), ({ id }) => id),
  train: new TrainState(bridge),
  tasks: new TaskState(bridge),
}
mount(App, { target, props: { app } })

bridge.on('library.changed', ({ area }) => {
  if (area === 'datasets' || area === 'prompts' || area === 'templates' || area === 'rewards') void app[area].load()
})

const parts = [
  app.settings, app.info, app.devices, app.models, app.runs, app.adapters, app.datasets, app.prompts, app.templates, app.rewards, app.tasks,
]
for (const part of parts) void part.load()
