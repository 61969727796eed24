import { mount } from 'svelte'
import './styles/tokens.css'
import './styles/base.css'
import HomePage from './pages/home/HomePage.svelte'
import { DeviceState } from './state/devices.svelte.ts'
import { AppState } from './state/app.svelte.ts'

const target = document.getElementById('app')
if (!target) throw new Error('index.html lacks the element the app is mounted in.')

const app = new AppState(window.halfstep)
const devices = new DeviceState(window.halfstep)
mount(HomePage, { target, props: { app, devices } })
void app.load()
void devices.load()
