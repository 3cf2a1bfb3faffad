import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { logOut, readLogin } from './account.ts';
import { ask } from './api.ts';
import { tabStore } from './browser.ts';
import { type Catalogue, speech } from './i18n.ts';
import { addressIn, type Route } from './route.ts';
import { useSession } from './use-session.ts';
import { useVote, type VoteDesk } from './use-vote.ts';
import { BallotForm } from './views/ballot.tsx';
import { Entry } from './views/entry.tsx';
import { Heading, Layout } from './views/layout.tsx';
import { ProblemSummary } from './views/problem.tsx';
import { DuplicateView, ReceiptView } from './views/receipt.tsx';
import { ReceiptCheck } from './views/receipt-check.tsx';
import { ResultsView } from './views/results.tsx';
import { Sending } from './views/sending.tsx';
import { NoSession, Sessions, SessionTimes } from './views/sessions.tsx';
import { Speaking } from './views/speaking.ts';
import { Verify } from './views/verify.tsx';

type AppProps = { route: Route; catalogue: Catalogue; locale: string };

/** The page. Prerendered, it is the entry screen: nothing is known yet but the language. */
export function App({ route, catalogue, locale }: AppProps): JSX.Element {
  return (
    <Speaking.Provider value={speech(route.language, catalogue, locale)}>
      {route.view === 'vote' ? (
        <Voting route={route} />
      ) : (
        <Layout route={route}>
          {route.view === 'verify' ? <Verify token={route.token} /> : <ReceiptCheck />}
        </Layout>
      )}
    </Speaking.Provider>
  );
}

type VoteRoute = Extract<Route, { view: 'vote' }>;

function Voting(props: { route: VoteRoute }): JSX.Element {
  const [route, setRoute] = useState(props.route);
  const view = useSession(route.sessionId, (sessionId) => {
    // The address names the session from now on: a reload finds the vote without asking anybody.
    const named = { ...route, sessionId };
    history.replaceState(null, '', addressIn(route.language, named));
    setRoute(named);
  });
  const desk = useVote(view.sessionId);
  const proof = desk.kept?.stage === 'recorded' ? desk.kept.receipt : null;
  return (
    <Layout route={route}>
      <Screen {...view} desk={desk} language={route.language} />
      {view.session !== null && <ResultsView session={view.session} proof={proof} />}
    </Layout>
  );
}

type ScreenProps = ReturnType<typeof useSession> & {
  desk: VoteDesk;
  language: Route['language'];
};

/** Which screen it is follows from what is kept, then from what is open, in this order. */
function Screen(props: ScreenProps): JSX.Element {
  const { desk, session, sessionId } = props;
  const [loggedIn, setLoggedIn] = useState(() => readLogin(tabStore) !== null);
  const { kept, sender } = desk;
  const end = sender?.todo.do === 'stop' ? sender.todo.end : null;

  function handOver(): void {
    desk.handOver();
    setLoggedIn(false);
    void logOut(tabStore, ask);
  }

  if (kept?.stage === 'recorded' && sessionId !== null) {
    const { update } = desk;
    return <ReceiptView key="receipt" {...{ vote: kept, sessionId, session, update, handOver }} />;
  }
  if (kept?.stage === 'duplicate')
    return <DuplicateView key="duplicate" vote={kept} handOver={handOver} />;
  if (kept?.stage === 'sending' && end?.kind !== 'ballot-needed') {
    return <Sending key="sending" sender={sender} resume={desk.resume} />;
  }
  if (desk.ballot !== null && kept === null) {
    const { ballot, refusal, cast } = desk;
    return <BallotForm key="ballot" {...{ session, ballot, refusal, cast, handOver }} />;
  }
  if (sessionId === null && props.choices.length > 1) {
    return <Sessions choices={props.choices} language={props.language} />;
  }
  if (sessionId === null && props.looked && props.problem === null) return <NoSession />;
  if (
    session !== null &&
    kept === null &&
    !['scheduled', 'open', 'draft'].includes(session.state)
  ) {
    return <Closed key="closed" session={session} />;
  }
  return (
    <>
      {props.problem !== null && session === null && (
        <ProblemSummary problem={props.problem} standing="not-voted" quiet />
      )}
      <Entry
        key="entry"
        choiceKept={kept?.stage === 'sending'}
        open={desk.open}
        onLogin={setLoggedIn}
        {...{ session, loggedIn }}
      />
    </>
  );
}

function Closed(props: { session: NonNullable<ScreenProps['session']> }): JSX.Element {
  return (
    <>
      <Heading>{props.session.title}</Heading>
      <SessionTimes session={props.session} />
    </>
  );
}
