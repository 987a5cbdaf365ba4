import type { ClusterStatus } from './device-status.ts'

/** Who was set aside by an audit of another device than the one that answers; what that one set aside itself is told already. */
export const auditedElsewhere = ({
  setAside,
  audits
}: Pick<ClusterStatus, 'setAside' | 'audits'>): ClusterStatus['audits']['setAside'] =>
  audits.setAside.filter(({ device, model }) => !setAside.some(one => one.device === device && one.model === model))
