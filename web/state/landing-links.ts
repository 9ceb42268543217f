/** Links for development: `#patient=<token>&doctor=<token>&consultation=cns_…`. */
export interface Links {
  readonly patient: string;
  readonly doctor: string;
  readonly isDevelopment: boolean;
}

export function linksOf(fragment: string): Links {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''));
  const consultation = parameters.get('consultation');
  const link = (role: 'patient' | 'doctor'): string => {
    const token = parameters.get(role);
    if (token === null) return `/${role}`;
    const target = new URLSearchParams({ token, ...(consultation === null ? {} : { consultation }) });
    return `/${role}#${target}`;
  };
  return {
    patient: link('patient'),
    doctor: link('doctor'),
    isDevelopment: parameters.has('patient') || parameters.has('doctor'),
  };
}
