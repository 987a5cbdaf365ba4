import { VERSION } from '../../node/version.ts'
import { readRunning } from '../../runtime/state/state-folder.ts'
import type { DoctorFlags } from '../doctor-command.ts'
import { parseNumber } from '../node/parse-number.ts'
import { checkClock } from './check-clock.ts'
import { checkCluster } from './check-cluster.ts'
import { checkDisk } from './check-disk.ts'
import { checkEngine } from './check-engine.ts'
import { checkMdns } from './check-mdns.ts'
import { checkMedia } from './check-media.ts'
import { checkMemory, checkOpenFiles, memoryHere } from './check-memory.ts'
import { checkNode } from './check-node.ts'
import { checkPort } from './check-port.ts'
import { checkProviders } from './check-providers.ts'
import { describeFindings } from './describe-findings.ts'
import type { Check, Finding } from './finding.ts'
import { patientOf } from './patient.ts'

/** Look at everything and say it; exit code 1 where something is to be done. @throws UserError for wrong use */
export const runDoctor = async (flags: DoctorFlags & { readonly name: string }): Promise<void> => {
  parseNumber('--timeout', flags.timeout, { least: 0.1, most: 86_400 })
  const patient = await patientOf(flags)
  const running = await readRunning(patient.folder)
  const machine = await examine({
    'Node.js': checkNode,
    'ONNX Runtime': checkEngine,
    'execution providers': checkProviders,
    packages: () => checkMedia(patient.sources),
    port: () => checkPort(patient.port, running),
    ...(patient.mdns ? { mDNS: checkMdns } : {}),
    clock: checkClock,
    disk: () => checkDisk(patient.folder.path),
    memory: async () => checkMemory(memoryHere(patient.memory)),
    'open files': checkOpenFiles
  })
  const { findings: cluster, links } = await checkCluster(flags, patient, running)
  const findings = [...machine, ...cluster]
  const well = findings.every(({ state }) => state !== 'todo')
  const document = { version: VERSION, name: patient.name, well, findings, links }
  process.stdout.write(flags.json === true ? `${JSON.stringify(document)}\n` : describeFindings(findings))
  if (!well) process.exitCode = 1
}

/** All at once; one that fails is a finding, and the others go on. */
const examine = async (checks: Readonly<Record<string, Check>>): Promise<readonly Finding[]> => {
  const found = await Promise.all(
    Object.entries(checks).map(async ([check, look]) =>
      look().catch(
        (error): Finding => ({
          check,
          state: 'todo',
          found: `could not be looked at: ${(error as Error).message}`,
          remedy: 'look at this part of the machine by hand'
        })
      )
    )
  )
  return found.flat()
}
