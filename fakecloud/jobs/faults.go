package jobs

import "github.com/taskwait/taskwait/fakecloud"

// WrongID serves the request, but the jobs in the answer have another id.
func WrongID() fakecloud.Fault {
	return change(func(a *answer) {
		for i, v := range a.views {
			v.id = fakecloud.HexID("wrong", i)
		}
	})
}

// SeveralRows serves the request, but if the answer is a list, it has other jobs before and after the right one, which
// ended long before. An answer about one job stays as it is.
func SeveralRows() fakecloud.Fault {
	return change(func(a *answer) {
		if !a.isList() || len(a.views) == 0 {
			return
		}
		other := func(n int) *view {
			v := *a.views[0]
			v.id, v.word, v.ended, v.running = fakecloud.HexID("other", n), a.form.word("SUCCESS"), v.created, false
			return &v
		}
		a.views = append(append([]*view{other(0)}, a.views...), other(1))
		a.all += 2
	})
}

// Status serves the request, but the jobs in the answer have this word for their status, known or not.
func Status(word string) fakecloud.Fault {
	return change(func(a *answer) {
		for _, v := range a.views {
			v.word = word
		}
	})
}

// NotListed serves the request, but no job is in the answer: an empty list, or {} of a shape that has none.
func NotListed() fakecloud.Fault {
	return change(func(a *answer) { a.views, a.all, a.next = nil, 0, "" })
}

// change is a fault that befalls an answer with jobs.
func change(to func(*answer)) fakecloud.Fault {
	return fakecloud.ServeThen(func(e *fakecloud.Exchange) {
		if a, ok := e.Payload.(*answer); ok {
			to(a)
		}
	})
}
