package httptasks

// API describes the jobs of an HTTP API. URL, a way to the status (Status or Done), and the words of success are
// needed; the rest may be zero. It is data: to copy it and to change the copy is how one API becomes another.
type API struct {
	// Name is what messages call the API, such as "ecs"; empty: "httptasks".
	Name string

	// URL is that of a job. {id} stands for the job's id, escaped; {+id} for an id that is a path, with slashes and
	// query, or a whole URL, which must be of the same scheme and host. Other placeholders are in Vars. The scheme and
	// the host come before the first placeholder. A URL without {id} shows several jobs: Task is then the place of a
	// list, in which the job is found by ID, or else on the pages of List that follow. With [NewFrom] a URL may be a
	// path alone.
	URL string

	// Method is that of the request; empty: GET, or POST if there is a Body.
	Method string

	// Body is what is sent, JSON; {id} and Vars stand in it inside of a JSON string. Empty: nothing is sent.
	Body string

	// Vars are the values of further placeholders in URLs and bodies, such as "instance_id". Each is checked like an id.
	Vars map[string]string

	// Permission is what the request needs, for the text of a 403; empty: not known.
	Permission string

	// RequestID is the header in which the API wants an id of each request's own, as "Client-Request-Id": a new UUID is
	// sent. Empty: there is none.
	RequestID string

	// Task is the place of the job in the answer: an object, or a list, which is searched by ID. Empty: the answer is
	// the job. The places that follow begin there.
	Task string

	ID        string // the job's id; empty: the answer has none, and is taken for the job that was asked for
	Status    string // its status, a word of the lists below
	Kind      string // its kind, such as "createServer"; empty: unknown, as for all that follow
	Percent   string // how much is done: "60%", 60, "60", 0.6; 1 is 1 %
	Remaining string // the service's estimate, in seconds
	Code      string // why it failed: the service's code
	Reason    string // and its words; of an object, such as that of an "error", its JSON
	CreatedAt string // when it was created or begun
	UpdatedAt string // when it changed last, or ended

	// Fraction says that Percent is a fraction: 1 is 100 %.
	Fraction bool

	// Steps is the place of the list of the job's parts. They are read like the job: their names by Kind, else by ID,
	// their times by CreatedAt and UpdatedAt. The Code and Reason of a part that failed are the job's where the job has
	// none.
	Steps string

	// Done is the place of a flag that says that the job is over, as in Google's long-running operations (AIP-151): it
	// has failed if Code or Reason ("error.message|error") is there, else succeeded. While the flag is false, or missing
	// from an answer with an ID, Status is read, and a job without one is EXECUTING.
	Done string

	// FailedByCode says that a job with a word of Success has failed all the same if its Code or Reason is there.
	FailedByCode bool

	// The service's words for each status. One word is in one list. What is in none is passed on.
	Created   []string // accepted, not begun
	Executing []string
	Success   []string
	Failed    []string
	Cancelled []string
	Deleted   []string // the job's record was removed

	// NotFound are the codes, or HTTP statuses such as "404", of an error that says that there is no such job. A 404
	// with a code in its body says so anyway.
	NotFound []string

	// Throttled are the codes of an error that is a throttle, whatever its HTTP status.
	Throttled []string

	// List is the request that shows many jobs, which makes the Source a Lister; nil: there is none.
	List *List

	// Details is a request of its own that says how far a running job is; nil: there is none. Of it the fields for the
	// request count, Task, ID, Percent, Remaining, Fraction, Steps, and the places of the steps.
	Details *API

	// Cancel is the request that cancels a job; nil: jobs cannot be cancelled.
	Cancel *Request

	untilDeleted bool
}

// Request is a request. The placeholders are those of [API].
type Request struct {
	Method     string // empty: GET, or POST if there is a Body
	URL        string
	Body       string // JSON; empty: nothing is sent
	Permission string // that it needs, for the text of a 403; empty: not known
	RequestID  Header // set from [API.RequestID]
	Changes    bool   // it changes something, and must not be sent twice; set by [Source.Cancel]
}

// Header is a header of a request; the zero value: there is none.
type Header struct{ Name, Value string }

// List is a request that shows many jobs, a page at a time. Each row is read like the job. At most one of Offset,
// Marker, Page and Next says how to go on; with none of them there is one page.
type List struct {
	URL string // its query has the parameters that are the same for each page

	// Rows is the place of the rows in the answer; empty: the answer is the list.
	Rows string

	Total string // the place of the number of all rows; empty: the service does not count them

	Limit string // the query parameter for the number of rows on a page; empty: there is none
	Size  int    // its value, the most that the service allows

	Offset string // the query parameter for the number of rows before the page
	First  int    // what Offset, or Page, begins with: 0, or 1
	Page   string // the query parameter for the number of the page
	Marker string // the query parameter for where to go on: the value at Next, or the ID of the last row

	// Next is the place of what the next page begins with: a marker, or, if Marker is empty, its URL, which must be of
	// the same scheme and host.
	Next string

	// Since is the query parameter for the time since when jobs are shown; empty: there is none. It is a day early, for
	// services that do not document in which zone they read it.
	Since       string
	SinceLayout string // as for time.Format, in UTC; "unix": seconds, "unixmilli": milliseconds. Empty: RFC 3339

	Permission string // that it needs, for the text of a 403; empty: not known
}

// UntilDeleted is the API for a wait until what has the id is no more: that there is no such thing is SUCCESS, and so
// is a word in Deleted. Every other status is EXECUTING, also that of a failure, because a deletion may begin there.
//
// A service says the same of a thing that there never was.
func (a API) UntilDeleted() API {
	a.untilDeleted = true
	return a
}

// With is the API with the value of a placeholder, in place of the one before. The receiver stays as it is.
func (a API) With(name, value string) API {
	vars := make(map[string]string, len(a.Vars)+1)
	for k, v := range a.Vars {
		vars[k] = v
	}
	vars[name] = value
	a.Vars = vars
	return a
}

// Check returns an error that Is [taskwait.ErrInvalidOption] and names the field if the description cannot be right:
// no URL, a place that cannot be read, a word in two lists. Nothing is sent.
func (a API) Check() error {
	_, err := compile(a)
	return err
}
