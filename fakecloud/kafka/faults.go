package kafka

import (
	"net/http"
	"strconv"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
)

// ThrottleAs404 answers with a 404, as the old DMS does when there are too many requests.
func ThrottleAs404() fakecloud.Fault {
	return fakecloud.Error(http.StatusNotFound, "DMS.10240407",
		"The request is too frequent. Flow control is being performed. Please try again later.")
}

// WrongID serves the request, but the tasks in the answer have another id.
func WrongID() fakecloud.Fault {
	return tasks(func(l *taskList) {
		for i := range l.Tasks {
			l.Tasks[i].ID = fakecloud.HexID("wrong", i)
		}
	})
}

// SeveralRows serves the request, but the answer has other tasks before and after the right one, which ended long
// before (by the time of a bubble too).
func SeveralRows() fakecloud.Fault {
	other := func(n int, status taskwait.Status) row {
		return row{
			ID: fakecloud.HexID("other", n), Name: "other", UserName: "fake_user", UserID: userID, Params: "{}",
			Status:    string(status),
			CreatedAt: "1999-06-15T08:55:53.606Z", UpdatedAt: "1999-06-15T08:55:56.600Z",
		}
	}
	return tasks(func(l *taskList) {
		l.Tasks = append(append([]row{other(0, taskwait.StatusFailed)}, l.Tasks...), other(1, taskwait.StatusSuccess))
		l.Count = strconv.Itoa(len(l.Tasks))
	})
}

// Status serves the request, but the tasks in the answer have this status, known or not.
func Status(s string) fakecloud.Fault {
	return tasks(func(l *taskList) {
		for i := range l.Tasks {
			l.Tasks[i].Status = s
		}
	})
}

// NotListed serves the request, but the list of tasks is empty. Script.ListedAfter does so for a time.
func NotListed() fakecloud.Fault {
	return tasks(func(l *taskList) { l.Count, l.Tasks = "0", []row{} })
}

// tasks is a fault that befalls a list of tasks.
func tasks(change func(*taskList)) fakecloud.Fault {
	return fakecloud.ServeThen(func(e *fakecloud.Exchange) {
		if l, ok := e.Payload.(*taskList); ok {
			change(l)
		}
	})
}
