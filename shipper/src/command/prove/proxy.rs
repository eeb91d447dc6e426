//! A door between a Kafka client and its brokers.
//!
//! Enters: connections of the client to loopback ports. Leaves: the same to the brokers, with the addresses in their
//! answers changed to further ports of this door, so that no connection goes past it. A shut door ends every connection
//! and takes no new one. Never: a change of anything else; TLS, which cannot be read.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::codec::{self, Answer, FRAME_BYTES_MAX};

/// Requests of one connection that wait for an answer with addresses at most; the client has one.
const WAITING_MAX: usize = 64;

/// The door; clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Proxy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    is_open: watch::Sender<bool>,
    /// The loopback port for each broker.
    ports: Mutex<HashMap<(String, u16), u16>>,
}

impl Proxy {
    /// An open door that leads nowhere yet.
    pub(super) fn new() -> Self {
        let is_open = watch::Sender::new(true);
        Proxy(Arc::new(Inner { is_open, ports: Mutex::default() }))
    }

    /// Lets connections through, or ends them all and takes no new one.
    pub(super) fn set_open(&self, is_open: bool) {
        self.0.is_open.send_replace(is_open);
    }

    /// The port of 127.0.0.1 that leads to this broker. Inside a runtime.
    pub(super) fn port(&self, host: &str, port: u16) -> io::Result<u16> {
        let mut ports = self.0.ports.lock().unwrap_or_else(PoisonError::into_inner);
        let broker = (host.to_owned(), port);
        if let Some(port) = ports.get(&broker) {
            return Ok(*port);
        }
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let here = listener.local_addr()?.port();
        ports.insert(broker.clone(), here);
        tokio::spawn(self.clone().listen(listener, broker));
        Ok(here)
    }

    async fn listen(self, listener: TcpListener, broker: (String, u16)) {
        // An error of one accept is that of the connection.
        loop {
            let Ok((client, _)) = listener.accept().await else { continue };
            let mut is_open = self.0.is_open.subscribe();
            if !*is_open.borrow() {
                continue;
            }
            let (proxy, broker) = (self.clone(), broker.clone());
            tokio::spawn(async move {
                let shut = async { is_open.wait_for(|is_open| !is_open).await.map(drop) };
                tokio::select! {
                    _ = shut => {}
                    // Either side's end is the connection's end, and tells all there is to tell.
                    _ = proxy.carry(client, broker) => {}
                }
            });
        }
    }

    async fn carry(&self, client: TcpStream, (host, port): (String, u16)) -> io::Result<()> {
        let broker = TcpStream::connect((host.as_str(), port)).await?;
        client.set_nodelay(true)?;
        broker.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_broker, to_broker) = broker.into_split();
        let waiting = Arc::new(Mutex::new(HashMap::new()));
        tokio::select! {
            ended = ask(from_client, to_broker, Arc::clone(&waiting)) => ended,
            ended = self.answer(from_broker, to_client, waiting) => ended,
        }
    }

    async fn answer(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        waiting: Waiting,
    ) -> io::Result<()> {
        loop {
            let mut frame = read_frame(&mut from).await?;
            let version = codec::correlation(&frame)
                .and_then(|id| waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
            if let Some(mut answer) = version.and_then(|version| Answer::parse(version, &frame)) {
                for broker in &mut answer.brokers {
                    let Ok(port) = u16::try_from(broker.port) else { continue };
                    broker.port = i32::from(self.port(&broker.host, port)?);
                    "127.0.0.1".clone_into(&mut broker.host);
                }
                frame = answer.write();
            }
            write_frame(&mut to, &frame).await?;
        }
    }
}

/// Requests for addresses, by correlation id, with their version.
type Waiting = Arc<Mutex<HashMap<i32, i16>>>;

async fn ask(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, waiting: Waiting) -> io::Result<()> {
    loop {
        let frame = read_frame(&mut from).await?;
        if let Some((id, version)) = codec::metadata_request(&frame) {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= WAITING_MAX {
                return Err(io::Error::other("too many questions without an answer"));
            }
            waiting.insert(id, version);
        }
        write_frame(&mut to, &frame).await?;
    }
}

async fn read_frame(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let size = from.read_u32().await? as usize;
    if size > FRAME_BYTES_MAX {
        return Err(io::Error::other("this is not Kafka's protocol"));
    }
    let mut frame = vec![0; size];
    from.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn write_frame(to: &mut OwnedWriteHalf, frame: &[u8]) -> io::Result<()> {
    to.write_u32(u32::try_from(frame.len()).unwrap_or(u32::MAX)).await?;
    to.write_all(frame).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker that answers every frame with `answer`.
    async fn broker(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = connection.into_split();
                    while read_frame(&mut from).await.is_ok() {
                        write_frame(&mut to, answer).await.unwrap();
                    }
                });
            }
        });
        port
    }

    async fn exchange(port: u16, request: &[u8]) -> io::Result<Vec<u8>> {
        let (mut from, mut to) = TcpStream::connect(("127.0.0.1", port)).await?.into_split();
        write_frame(&mut to, request).await?;
        read_frame(&mut from).await
    }

    const METADATA: &[u8] = b"\0\x03\0\0\0\0\0\x07";

    #[tokio::test]
    async fn every_address_that_a_broker_tells_leads_through_the_door() {
        let proxy = Proxy::new();
        let behind = broker(b"\0\0\0\x07\0\0\0\x01\0\0\0\x05\0\x01h\0\0\x23\x84tail").await;
        let here = proxy.port("127.0.0.1", behind).unwrap();
        assert_eq!(proxy.port("127.0.0.1", behind).unwrap(), here);
        let answer = Answer::parse(0, &exchange(here, METADATA).await.unwrap()).unwrap();
        let (host, port) = (answer.brokers[0].host.clone(), answer.brokers[0].port);
        assert_eq!((host.as_str(), port), ("127.0.0.1", i32::from(proxy.port("h", 9092).unwrap())));
        // Any other answer is as the broker wrote it.
        let other = exchange(here, b"\0\x00\0\0\0\0\0\x07").await.unwrap();
        assert_eq!(Answer::parse(0, &other).unwrap().brokers[0].host, "h");
    }

    #[tokio::test]
    async fn a_shut_door_ends_connections_and_takes_none() {
        let proxy = Proxy::new();
        let here = proxy.port("127.0.0.1", broker(b"\0\0\0\x01yes").await).unwrap();
        let (mut from, mut to) = TcpStream::connect(("127.0.0.1", here)).await.unwrap().into_split();
        write_frame(&mut to, b"\0\0\0\0\0\0\0\x01").await.unwrap();
        assert_eq!(read_frame(&mut from).await.unwrap(), b"\0\0\0\x01yes");
        proxy.set_open(false);
        assert!(read_frame(&mut from).await.is_err());
        assert!(exchange(here, b"\0\0\0\0\0\0\0\x01").await.is_err());
        proxy.set_open(true);
        assert_eq!(exchange(here, b"\0\0\0\0\0\0\0\x01").await.unwrap(), b"\0\0\0\x01yes");
    }
}
