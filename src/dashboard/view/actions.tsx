import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Offer } from '../logic/offers.ts';
import { names } from '../memory.ts';
import type { Session } from '../session.ts';
import { Icon, type IconName } from './icons.tsx';

interface OfferProps {
  readonly session: Session;
  readonly service: string;
  readonly offer: Offer;
  readonly compact?: boolean;
  /** Among others of its kind: it says of which service it is. */
  readonly inList?: boolean;
}

function iconOf({ verb, kind }: Offer): IconName {
  if (kind === 'back') return 'back';
  if (verb === 'pause') return 'pause';
  return verb === 'resume' ? 'play' : kind === 'on' ? 'on' : 'pass';
}

/** A button that asks once more before it does anything. */
export function OfferButton({ session, service, offer, compact = false, inList = false }: OfferProps) {
  const [asking, setAsking] = useState(false);
  const size = compact ? 'btn-small' : '';
  return (
    <>
      <button type="button" class={`btn btn-${offer.kind} ${size}`} onClick={() => setAsking(true)}>
        <Icon name={iconOf(offer)} size={compact ? 14 : 16} />
        {offer.label}
        {inList ? <span class="sr"> of {service}</span> : null}
      </button>
      {asking ? (
        <Confirm session={session} service={service} offer={offer} onClose={() => setAsking(false)} />
      ) : null}
    </>
  );
}

function Confirm({ session, service, offer, onClose }: OfferProps & { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [reason, setReason] = useState('');
  const [name, setName] = useState(names.get());
  const [work, setWork] = useState<{ readonly busy: boolean; readonly problem: string }>({
    busy: false,
    problem: '',
  });
  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (work.busy) return;
    setWork({ busy: true, problem: '' });
    names.set(name.trim());
    const { verb, full } = offer;
    const answer = await session.command(service, { verb, full, reason: reason.trim(), actor: name.trim() });
    if (!answer.ok) return setWork({ busy: false, problem: answer.message });
    dialog.current?.close();
    // The button that was pressed may be gone by now.
    document.getElementById('content')?.focus({ preventScroll: true });
  };

  return (
    <dialog
      ref={dialog}
      class={`confirm confirm-${offer.kind}`}
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-what`}
      onClose={onClose}
    >
      <form onSubmit={submit}>
        <p class="muted">{service}</p>
        <h2 id={`${id}-title`}>{offer.label}?</h2>
        <p id={`${id}-what`} class="confirm-what">
          {offer.consequence}
        </p>
        {offer.verb === 'abort' ? (
          <p class="field">
            <label for={`${id}-reason`}>Reason, for the history</label>
            <input
              id={`${id}-reason`}
              maxLength={500}
              autocomplete="off"
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </p>
        ) : null}
        <p class="field">
          <label for={`${id}-name`}>Your name, for the history</label>
          <input
            id={`${id}-name`}
            maxLength={80}
            autocomplete="nickname"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </p>
        <p class="problem" role="alert">
          {work.problem === '' ? '' : `It was not done: ${work.problem}`}
        </p>
        <div class="confirm-buttons">
          <button type="submit" class={`btn btn-${offer.kind} btn-sure`} aria-disabled={work.busy}>
            <Icon name={iconOf(offer)} />
            {work.busy ? 'On its way…' : offer.label}
          </button>
          <button type="button" class="btn" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
