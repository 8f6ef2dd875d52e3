# The command alone, and the certificates by which it knows a cloud's endpoint. Keys come by the environment:
#
#	docker build -t taskwait .
#	docker run --rm -e HUAWEICLOUD_SDK_AK -e HUAWEICLOUD_SDK_SK -e HUAWEICLOUD_SDK_PROJECT_ID taskwait kafka list --help
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o /taskwait ./cmd/taskwait

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /taskwait /taskwait
USER 65534:65534
ENTRYPOINT ["/taskwait"]
